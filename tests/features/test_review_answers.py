"""What people decided as labels, by the settings that docs/review.md shows: asked, taken back, and never an outcome."""

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import yaml

from builders import unchecked
from nightjar.features.horizons import with_horizon
from nightjar.features.labels import label_versions
from nightjar.review.desk import Act, Desk
from nightjar.settings import filling, validation
from nightjar.settings.label import Label
from nightjar.settings.sources import Source
from nightjar.settings.spine import Spine
from nightjar.sources.ingest import ingest
from nightjar.tables import arrow
from nightjar.tables.reviews import DECIDE, UNDO
from nightjar.tables.warehouse import Warehouse
from review import loans
from system.tree import ROOT

NEXT = loans.NIGHT + timedelta(days=1)
KEY = ["applicant", "prediction_time"]


def documented(cls, name):
    """Settings of a class as the page shows them, for the project of loans."""
    page = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    (text,) = [block.partition("```")[0] for block in page.split("```yaml\n") if "answers:" in block]
    shown = yaml.safe_load(text.replace("applicant_id: {type: long}", "applicant: {type: string}"))
    values = shown["sources"]["answers"] if name == "answers" else shown["label"]
    return validation.validate(cls, filling.fill(cls, values, {}))


def test_the_majority_of_reviewers_is_a_label_and_what_was_taken_back_is_no_answer(tmp_path, spark):
    warehouse = Warehouse(str(tmp_path / "warehouse"), "loans")
    warehouse.check_writable()
    twice = loans.project(replace(loans.REVIEW, looked_at_twice=1.0))
    loans.store(warehouse, twice, cases=20, past=0)
    desk = Desk(warehouse, twice, "review-1")
    names = desk.queue().ids[:4]
    for at, answers in enumerate([("refuse", "refuse"), ("grant", "grant"), ("grant", "refuse"), ("refuse", "refuse")]):
        for reviewer, decision in zip(("ada", "ben"), answers, strict=True):
            desk.act([Act(names[at], DECIDE, decision, "a reason")], reviewer, "page", loans.NOON)
    desk.act([Act(names[3], UNDO)], "ben", "page", loans.NOON + timedelta(minutes=1))

    label = documented(Label, "label")
    answers = documented(Source, "answers")
    answers = replace(answers, delta=replace(answers.delta, path=warehouse.path("reviews")))
    spine = Spine("answers", ["applicant"], "prediction_time", [])
    label = replace(label, keys={name: name for name in KEY})
    nobody = type(twice.serving)()
    project = replace(twice, sources={"answers": answers}, spine=spine, label=label, tiers={}, serving=nobody)
    ingest(spark, warehouse, project, NEXT, None, "ingest-1", tmp_path / "raw", unchecked)
    cases = desk.queue().rows.select(["prediction_id", *KEY]).slice(0, 4)
    rows = with_horizon(spark.createDataFrame(cases.select(KEY)), project, date(2024, 1, 1), NEXT + timedelta(days=20))
    versions = {"source_answers": arrow.version(warehouse, "source_answers")}
    found: pa.Table = label_versions(rows, warehouse, project, versions, NEXT + timedelta(days=20)).toArrow()
    last = {row["applicant"]: row["label"] for row in sorted(found.to_pylist(), key=lambda row: row["label_known_at"])}
    # A loan that people refuse is one of which they say that it will not be repaid; a tie and one answer say nothing.
    assert [last[name] for name in cases["applicant"].to_pylist()] == [True, False, None, None]
