"""The job of explain: a row of a past night, and a model, as a table, a page and pictures; or why not."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

import builders
from nightjar.errors import ModelError, TableError
from nightjar.pipeline import explain
from nightjar.pipeline.execution import Context
from nightjar.registry import location, tracking
from nightjar.settings.explain import Explain
from nightjar.settings.explaining import Actionable, Explaining
from nightjar.settings.serving.serving import Serving
from nightjar.tables import arrow
from system.tree import NIGHT


@pytest.fixture
def run(copied):
    project = replace(copied.project, explain=Explaining({"load": Actionable(), "temperature__mean_3d": Actionable()}))

    def of(run_date=NIGHT, prediction_id=None, **changes):
        settings = Explain(copied.environment, replace(project, **changes), run_date, prediction_id)
        explain.run(Context(settings, "", None, copied.warehouse, ""))
        return Path(copied.warehouse.path("reports"))

    return of


def scores_of(nights):
    return arrow.read(nights.warehouse, "scores", where=pc.field("run_date") == date.fromisoformat(NIGHT)).to_pylist()


def files_of(nights, version):
    home = Path(nights.environment.home)
    own = tracking.connect(home).get_model_version(nights.project.name, version).run_id
    folder = location.files(home) / own / "artifacts" / "explanations"
    return [f"explanations/{file.name}" for file in folder.iterdir()]


def test_a_row_is_explained_by_the_model_that_scored_it_and_no_table_is_written(run, copied, capsys):
    row = max(scores_of(copied), key=lambda one: one["score"])
    before = builders.versions(copied.warehouse)

    reports = run(prediction_id=row["prediction_id"])

    name = f"explanation-{row['prediction_id'][:16]}"
    page, printed = (reports / f"{name}.html").read_text(encoding="utf-8"), capsys.readouterr().out
    for text in (page, printed):
        assert f"machine {row['machine']}" in text
        assert "What would change the decision" in text
    assert re.search(r"\bload\b.*[+-][0-9.]+", printed)
    assert f"version {row['model_version']} (" in page
    assert "<script" not in page
    assert f"explanations/{name}.html" in files_of(copied, row["model_version"])
    assert f"explanations/{name}-1.svg" in files_of(copied, row["model_version"])
    assert builders.versions(copied.warehouse) == before


def test_a_model_is_explained_by_the_rows_of_past_nights(run, copied, capsys):
    reports = run()

    (page,) = reports.glob("explanation-model-*.html")
    text, printed = page.read_text(encoding="utf-8"), capsys.readouterr().out
    for title in ("What columns add to scores", "What it loses without a column", "A small tree that imitates it"):
        assert title in text
        assert title in printed
    assert text.count("<svg") >= 3


def test_values_of_sensitive_columns_are_on_no_explanation(run, copied, capsys):
    row = max(scores_of(copied), key=lambda one: one["score"])
    hidden = Serving(sensitive=["machine", "site", "load"])
    reports = run(prediction_id=row["prediction_id"], serving=hidden)
    of_row = (reports / f"explanation-{row['prediction_id'][:16]}.html").read_text(encoding="utf-8")
    run(serving=hidden)
    (file,) = reports.glob("explanation-model-*.html")
    of_model, printed = file.read_text(encoding="utf-8"), capsys.readouterr().out
    for text in (of_row, of_model, printed):
        assert {"north", "south", row["machine"]}.isdisjoint(re.findall(r"\w+", text))
    assert "machine (masked)" in of_row
    assert re.search(r"load\s*│\s*\(masked\)\s*│\s*[+-][0-9.]+", printed)
    assert "load (masked)" in of_model  # where the small tree parts it
    assert "Score by load" not in of_model
    assert "Score by load" in (run() / file.name).read_text(encoding="utf-8")


def test_what_cannot_be_explained_says_why(run, copied):
    with pytest.raises(
        TableError, match=r"No prediction of 2024-04-02 has prediction_id 0f: .* has [0-9]+ rows of that date"
    ):
        run(prediction_id="0f")
    row = scores_of(copied)[0]
    with pytest.raises(TableError, match="No prediction of 2024-04-01"):
        run("2024-04-01", row["prediction_id"])
    with pytest.raises(ModelError, match="No champion of machines holds on 2024-03-20"):
        run("2024-03-20")
    with pytest.raises(ModelError, match=r"actionable.site is of text: it can have no low"):
        run(prediction_id=row["prediction_id"], explain=Explaining({"site": Actionable(low=1)}))


def test_rows_that_are_no_longer_stored_explain_nothing(run, copied):
    row = scores_of(copied)[0]
    features = DeltaTable(copied.warehouse.path("features"))
    features.delete("run_date = '2024-04-02'")
    with pytest.raises(ModelError, match=r"is not among the 0 rows that table features has .*nothing to explain"):
        run(prediction_id=row["prediction_id"])
    features.delete("run_date > '2024-03-20'")
    with pytest.raises(ModelError, match="Too few rows to explain anything by"):
        run()
