"""The documents of explanations: what they say, what they hold back, and pictures that need nothing else."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from rich.console import Console

from models.rows import CLASSIFIED, FEATURES, examples, training_rows
from nightjar.explanation.counterfactuals import Counterfactual
from nightjar.explanation.dependence import Dependence
from nightjar.explanation.of_model import explain_model
from nightjar.explanation.of_row import Effect, RowExplanation, explain_row
from nightjar.explanation.surrogates import LocalSurrogate
from nightjar.models.fitting import fit
from nightjar.report import markdown, page, terminal
from nightjar.report.explanation import model, row
from nightjar.report.explanation.charts import curves
from nightjar.settings.explaining import Actionable

NIGHT = date(2024, 4, 2)
ABOUT_ROW = {"project": "Late", "run_date": NIGHT, "model": "version 3", "key": {"carrier": "UA"}, "stored_score": 0.25}
ROW = RowExplanation(
    score=0.25,
    output=None,
    base=-1.0,
    scale="log-odds",
    effects=[Effect("delay", 12.5, 0.75, None), Effect("a<b>", None, -0.5, None)],
    surrogate=LocalSurrogate(("delay", "a<b>"), (0.1, -0.3), 0.8),
    threshold=0.5,
    counterfactuals=[Counterfactual({"delay": 30.0}, 0.6, 1.25)],
    background=100,
)


def texts_of(document):
    return markdown.render(document), page.render(document)


def test_a_row_is_explained_in_every_form(capsys):
    document = row.document(ROW, **ABOUT_ROW)
    text, html = texts_of(document)
    terminal.show(document, Console(width=120))

    for part in (text, html, capsys.readouterr().out):
        assert "most raised by delay, most lowered by" in part
        assert "+0.750" in part
        assert "12.5 → 30" in part
        assert "exact Shapley values" in part
        assert "80.0% of the variance" in part
        assert "missing" in part
    assert "a<b>" not in html
    assert "the score is below it" in html


def test_the_stored_reasons_stand_beside_what_columns_add_today():
    stored = [{"text": "It was late before", "feature": "delay", "contribution": 0.751}]
    stored += [{"text": "It was long ago", "feature": "age", "contribution": -0.2}]
    (text, html), (none, _), (moved, _) = (
        texts_of(row.document(ROW, **ABOUT_ROW, reasons=reasons)) for reasons in (stored, None, [])
    )
    assert "It was late before | delay | +0.751 | +0.750" in " ".join(text.split())
    assert "the model does not read it" in html
    assert "project.serving.reasons asks for none" in none
    assert "no feature is shown to move it" in moved


def test_what_is_weak_or_was_not_looked_for_is_said():
    sampled = replace(
        ROW,
        effects=[replace(one, error=0.02) for one in ROW.effects],
        surrogate=replace(ROW.surrogate, fidelity=0.2),
        counterfactuals=None,
    )
    text, _ = texts_of(row.document(sampled, **ABOUT_ROW))

    assert "± 0.020" in text
    assert "sampled Shapley values, with their standard error" in text
    assert "That is little: do not go by it" in text
    assert "project.explain.actionable names no column" in text
    for changed, words in (
        ({"counterfactuals": []}, "No change of up to three actionable columns"),
        ({"counterfactuals": None, "threshold": None}, "no decision is made by a threshold"),
        ({"surrogate": LocalSurrogate((), (), None)}, "there is nothing to imitate"),
        ({"effects": []}, "The model goes by no column"),
    ):
        assert words in texts_of(row.document(replace(ROW, **changed), **ABOUT_ROW))[0]


@pytest.mark.parametrize("name", ["boosting", "neighbours", "majority"])
def test_real_models_have_documents_and_pictures_that_need_nothing_else(name):
    predictor = fit(CLASSIFIED[name], examples(), features=FEATURES, seed=0)
    table = training_rows(200, seed=1)[0]
    actionable = {} if name == "majority" else {"delay": Actionable()}

    of_row = explain_row(predictor, table.slice(0, 1), table, actionable, threshold=0.4)
    of_model = explain_model(predictor, table, np.arange(200) // 10, np.arange(200))
    documents = [
        row.document(of_row, **ABOUT_ROW),
        model.document(of_model, project="Late", run_date=NIGHT, model="Version 3", importance=[]),
    ]

    for document in documents:
        html = page.render(document)
        assert "<h1>" in html
        for picture in page.pictures(document):
            root = ET.fromstring(picture)  # noqa: S314  (ours)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert "url(" not in picture
    assert len(page.pictures(documents[1])) == (0 if name == "majority" else 1 + len(of_model.dependences))
    assert ("exact Shapley" in page.render(documents[1]).replace("Exact", "exact")) == (name == "boosting")


@pytest.mark.parametrize("values", [(1.0, 2.0, None), (None,), ("a", "b", None), (False, True), (3,)])
def test_a_curve_has_a_line_for_numbers_and_dots_for_all_else(values):
    chart = curves(Dependence("x", values, np.arange(2.0 * len(values)).reshape(2, -1)), "x")

    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    assert ("line mean" in chart) == (len(numbers) > 1)
    assert chart.count("<circle") == len(values) - (len(numbers) if len(numbers) > 1 else 0)
    assert "nan" not in chart
