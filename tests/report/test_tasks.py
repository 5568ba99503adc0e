"""The page of a project that predicts amounts, or an order: its own measures, in its own units."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nightjar.report import night as report
from nightjar.settings.features import Aggregate
from nightjar.settings.sources import Column, ColumnType
from nightjar.settings.task import Task
from report import nights
from report.page import Page

EVIDENCE = {
    "metric": "rmse",
    "period": ["2013-09-02", "2013-09-29"],
    "candidate": {"name": "w", "rmse": {"estimate": 410.0, "low": 395.5, "high": 425.25}},
    "baselines": {"mean": {"rmse": {"estimate": 500.0, "low": 480.0, "high": 520.0}}},
    "difference": {"over": "mean", "estimate": -90.0, "low": -95.0, "high": -84.5},
}


def project(task, **label):
    found = nights.project()
    source = found.sources["schedule"]
    wider = replace(source, columns=source.columns | {"weight": Column(ColumnType.DOUBLE)})
    task_label = replace(found.label, column="weight", task=task, **label)
    return replace(found, sources={"schedule": wider}, label=task_label)


def page(warehouse, found):
    return Page(Path(report.write(warehouse, found, nights.NIGHT)).read_text(encoding="utf-8"))


def test_amounts_are_told_in_the_unit_of_their_label(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    figures = {"rmse": 402.0, "mae": 310.0, "r2": 0.25, "mean_label": 1200.0, "mean_score": -0.0001}
    nights.store_performance(warehouse, dates=1, provisional_from=1, figures=figures)
    nights.store_scores(warehouse, [-1500.0, 250.0, 4250.0])
    nights.store_promotion(warehouse, json.dumps(EVIDENCE))

    found = page(warehouse, project(Task.REGRESSION))

    assert found.facts[:2] == ["3 scores mean 1,000.000", "402.011 RMSE of 2013-10-02 final, promised 410.000"]
    assert (
        "The latest judged date, 2013-10-02, has an RMSE of 402.011 (final, 100.0% of its outcomes known)."
        in found.text
    )
    assert "RMSE by date, in the unit of the label (weight)." in found.text
    assert "Difference to mean in RMSE: -90.000 (interval -95.000 to -84.500)." in found.text
    (judged,) = found.table("Served predictions by date")
    measures = {name: judged[name] for name in ("RMSE", "MAE", "R²", "Mean label", "Mean score")}
    assert list(measures.values()) == ["402.011", "310.011", "0.261", "1,200.011", "0.011"]
    assert "-1,500 to -1,212: 33.3%" in found.text
    assert "ROC AUC" not in found.text


@pytest.mark.parametrize(
    ("ndcg", "told"),
    [
        (0.8, "The latest judged date, 2013-10-02, has an NDCG of 0.811"),
        (None, "No judged date has an NDCG: it takes a list with two labels that are known, one of them above 0."),
    ],
)
def test_an_order_is_told_by_its_ndcg(tmp_path, ndcg, told):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_performance(warehouse, dates=1, figures={"ndcg": ndcg, "mean_label": 0.5, "mean_score": 2.0})

    found = page(warehouse, project(Task.RANKING, query=["prediction_time"]))

    assert told in found.text
    (judged,) = found.table("Served predictions by date")
    assert [judged[name] for name in ("NDCG", "Mean label", "Mean score")] == [
        "0.811" if ndcg else "–",
        "0.511",
        "2.011",
    ]
    assert "in the unit of the label" not in found.text


def test_a_night_of_which_only_early_positives_are_known_is_told_in_words(tmp_path):
    """No rate, no dot in the chart, no mark: the words say what is missing."""
    warehouse = nights.warehouse_in(tmp_path)
    nothing = dict.fromkeys(("roc_auc", "log_loss", "positive_rate", "mean_score"))
    nights.store_performance(warehouse, dates=1, provisional_from=0, figures=nothing | {"rows": 0.0})
    found = nights.project()
    early_label = replace(found.label, aggregate=Aggregate.COUNT, condition="value > 0", settled_early=True)

    written = Path(report.write(warehouse, replace(found, label=early_label), nights.NIGHT)).read_text(encoding="utf-8")

    (judged,) = Page(written).table("Served predictions by date")
    assert [judged[name] for name in ("ROC AUC", "Observed rate", "State")] == ["–", "–", "○ provisional"]
    assert "until then only outcomes that are true can be known" in written
    assert "No judged date has an ROC AUC yet" in Page(written).text
    assert "of rows whose horizon has passed (before that only true ones can be known)" in Page(written).text
