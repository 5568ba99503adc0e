"""The page of a project that predicts amounts, or an order: its own measures, in its own units."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from nightjar.evaluation.histograms import Bins
from nightjar.report import night as report
from nightjar.report.drift import read_drift
from nightjar.report.drift_pictures import pictures
from nightjar.report.reading import open_tables
from nightjar.settings.features import Aggregate
from nightjar.settings.sources import Column, ColumnType
from nightjar.settings.task import Task
from nightjar.tables import arrow
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


def test_several_classes_have_their_names_what_they_were_taken_for_and_the_figures_of_each(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.night_of_classes(warehouse)
    found = page(warehouse, nights.project_of_classes())

    matrix = re.findall(r"(\S[\w ]*) taken for (\S[\w ]*): ([\d.]+)%", found.text)
    assert len(matrix) == 2 * 9  # of the judged dates, and of the training
    of_late = [float(share) for actual, _, share in matrix if actual.endswith("More than 15 minutes late")]
    assert [sum(of_late[:3]), sum(of_late[3:])] == pytest.approx([100, 100], abs=0.2)
    assert re.search(r"What rows of each outcome were taken for: [\d.]+% of 900 rows were right", found.text)
    changes = found.table("Whose decision changes from the champion's to that of version 4")
    assert [row["Decision"] for row in changes] == ["Early", "On time", "More than 15 minutes late"]
    assert re.fullmatch(r"[\d.]+% [\d.]+% to [\d.]+%", changes[2]["Turned out so"])
    assert re.search(r"What rows of each outcome were taken for: [\d.]+% of 1,800 rows were right", found.text)
    assert "by deciles of the probability of the predicted class, 4 final dates of version 3 together" in found.text
    early, on_time, _ = found.table("Each class against all others on 2013-10-02")
    figures = {
        (row["measure"], row["evaluated_date"].day): row
        for row in arrow.read(warehouse, "performance").to_pylist()
        if row["slice"] == "all"
    }
    recall = figures["recall[early]", 2]
    assert early["Class"] == "Early"
    assert early["Recall"] == f"{recall['value']:.3f} {recall['low']:.3f} to {recall['high']:.3f}"
    assert on_time["Of outcomes"] == f"{figures['rate[on_time]', 2]['value']:.1%}"
    of_promise = {row["Measure"]: row for row in found.table("What version 3 promised")}
    assert set(of_promise) == {
        *("ROC AUC", "Average precision", "Log loss", "Brier score", "Balanced accuracy", "F1", "Cost of a row")
    }
    others = [row["Measure"] for row in found.table("Served predictions of 2013-10-02")]
    assert {"Rows of unseen classes", "Top-label calibration error", "Rows"} <= set(others)
    assert "Predicted class." in found.text


def test_a_class_that_the_model_has_not_seen_leaves_no_log_loss_and_says_why(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    figures = {"roc_auc": 0.7, "log_loss": None, "unseen_share": 0.0}
    nights.store_performance(warehouse, dates=1, provisional_from=1, figures=figures)
    written = Path(report.write(warehouse, nights.project_of_classes(), nights.NIGHT)).read_text(encoding="utf-8")
    assert "or some are of a class that the model has not seen" in written
    (judged,) = Page(written).table("Served predictions by date")
    assert (judged["Log loss"], judged["Balanced accuracy"]) == ("–", "–")


def test_what_is_watched_of_several_classes_is_drawn(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.night_of_classes(warehouse)
    nights.store_reference(warehouse, "probability[late]", Bins("numeric", edges=(0.0, 0.5, 1.0)), [0, 0, 500, 400, 0])
    for subject in ("score", "predicted class", "probability[late]"):
        nights.store_drift(warehouse, subject, {"psi": 0.3})
    tables = open_tables(warehouse, nights.NIGHT)

    drawn = {one.column.subject: one for one in pictures(tables, read_drift(tables))}

    assert set(drawn) == {"score", "predicted class", "probability[late]"}
    assert all(one.chart and not one.absence for one in drawn.values())
