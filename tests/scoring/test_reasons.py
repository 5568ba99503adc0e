"""The reasons of a night's scores: stored beside them, the same in a rerun and by explain, and checked on every row."""

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from builders import rows_of
from nightjar.errors import ModelError
from nightjar.explanation.contributions import contributions
from nightjar.explanation.of_row import explain_row
from nightjar.explanation.reasons import Wording
from nightjar.masking.values import MASK, Masking
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.registry import events, verified
from nightjar.registry.signature import Subject
from nightjar.registry.tiers import TierThreshold
from nightjar.scoring.capacity import finish, hold_back
from nightjar.scoring.night import open_night
from nightjar.scoring.reasons import ReasonsPlan, add_reasons, carry, plan_reasons, with_reasons
from nightjar.scoring.score import score
from nightjar.scoring.task import score_rows
from nightjar.settings.model import Estimator, Model
from nightjar.settings.serving.reasons import AdverseAction, Reasons
from nightjar.settings.serving.serving import Serving
from nightjar.tables import arrow
from nightjar.tables.sink import Unfinished
from registry.made import ABOUT, FEATURES, ROWS

D1, D2 = date(2024, 4, 1), date(2024, 4, 2)
SENTENCE = "The load of the day is high"


@pytest.fixture
def again(copied, spark):
    """Score the second night once more, with reasons."""

    def run(settings, sensitive=()):
        project = replace(copied.project, serving=Serving(reasons=settings, sensitive=list(sensitive)))
        score(lambda: spark, copied.warehouse, project, D2, "again", copied.environment, retrospective=False)
        night = arrow.read(copied.warehouse, "scores", where=pc.field("run_date") == D2).sort_by("machine")
        return night.to_pylist()

    return run


@pytest.fixture
def predictor(nights):
    champion = events.champion(nights.warehouse, D2)
    return verified.load(nights.environment, Subject("machines", champion.model_name, champion.number)).open()


def wording(project):
    return dict.fromkeys(project.feature_names(), SENTENCE)


def test_rows_of_the_tiers_that_need_them_have_what_explain_says_of_them(nights, copied, again, predictor):
    settings = Reasons(
        ["act"],
        top=3,
        names={"load": "Load of the day"},
        adverse=AdverseAction(["act"], wording=wording(copied.project)),
    )
    rows = again(settings, sensitive=["site"])
    features = arrow.read(nights.warehouse, "features", where=pc.field("run_date") == D2).sort_by("machine")
    acted = [row for row in rows if row["tier"] == "act"]
    assert 0 < len(acted) < len(rows)
    for place, row in enumerate(rows):
        own = features.slice(place, 1)
        if row["tier"] != "act":
            assert row["reasons"] is None
            continue
        effects = {one.column: one for one in explain_row(predictor, own, features, {}).effects}
        (first,) = row["reasons"]  # all features share one sentence
        assert first["text"] == SENTENCE
        assert first["contribution"] == pytest.approx(effects[first["feature"]].added, abs=1e-8)
        assert first["contribution"] > 0
        assert first["feature"] == "load"
        assert float(first["value"]) == own["load"][0].as_py()
        assert [0 <= float(end) <= 99 for end in first["usual"].split(" to ")] == [True, True]
    before = rows_of(copied.warehouse, "scores")
    again(settings, sensitive=["site"])
    assert rows_of(copied.warehouse, "scores") == before
    plain = ("prediction_id", "score", "tier")
    assert rows_of(copied.warehouse, "scores", *plain) == rows_of(nights.warehouse, "scores", *plain)


def test_a_sample_of_all_rows_has_them_in_words_without_what_is_sensitive(again):
    rows = again(Reasons(sample=1, top=9), sensitive=["load", "site"])
    told = [reason for row in rows for reason in row["reasons"]]
    assert {reason["value"] for reason in told if reason["feature"] in ("load", "site")} == {MASK}
    assert {reason["usual"] for reason in told if reason["feature"] in ("load", "site")} == {None}
    open_ones = [reason for reason in told if reason["feature"] == "temperature__last"]
    assert all(20 <= float(reason["value"]) <= 30 for reason in open_ones)
    move = "raises" if open_ones[0]["contribution"] > 0 else "lowers"
    usual = f", usually {open_ones[0]['usual']}"
    assert open_ones[0]["text"] == f"temperature__last: {open_ones[0]['value']}{usual}; {move} the score"


def night_of(nights, project):
    return open_night(lambda: None, nights.warehouse, project, D2, "run", nights.environment)


def test_a_wrong_explainer_stops_the_task_instead_of_lying(nights, predictor, monkeypatch):
    """One that is off by three millionths of log-odds in each column; the rows are those of a task."""
    project = replace(nights.project, serving=Serving(reasons=Reasons(sample=1)))
    version = events.champion(nights.warehouse, D2)
    artifact = verified.load(nights.environment, Subject("machines", version.model_name, version.number))
    plan = plan_reasons(night_of(nights, project), artifact.manifest, predictor, version.number)
    features = arrow.read(nights.warehouse, "features", where=pc.field("run_date") == D2)
    scored = score_rows(project, ["machine"], lambda _: iter([features]), artifact, plan)
    task = with_reasons(scored, artifact.open, plan)
    (scored,) = task(iter([]))
    assert scored["reasons"].null_count == 0

    def off(*arguments):
        parts = contributions(*arguments)
        return replace(parts, values=parts.values + 3e-6)

    monkeypatch.setattr("nightjar.explanation.sampled.contributions", off)
    with pytest.raises(ModelError, match=r"The reasons of 5 of 5 rows do not explain.*reasons\.tiers=\[\]"):
        next(task(iter([])))


def test_a_model_without_exact_contributions_is_explained_beside_rows_of_past_nights(copied):
    """In a task as on the driver: the plan has the rows that it needs, and no others have any."""
    model = Model(Estimator.NEIGHBOURS, parameters={"n_neighbors": 7})
    sampled = fit(model, Examples(ROWS, np.arange(40) % 17 > 8), features=FEATURES, seed=0)
    linear = fit(Model(Estimator.LOGISTIC), Examples(ROWS, np.arange(40) % 17 > 8), features=FEATURES, seed=0)
    project = replace(copied.project, serving=Serving(reasons=Reasons(sample=0.5)))
    features = arrow.read(copied.warehouse, "features")
    about = replace(ABOUT, features=FEATURES, definitions_hash=features["definitions_hash"][0].as_py())
    night = night_of(copied, project)
    exact, beside = (plan_reasons(night, about, one, "1") for one in (linear, sampled))
    assert (exact.background.num_rows, exact.background.column_names) == (0, ["load", "site"])
    assert beside.background.num_rows == 5 * 16  # all nights up to this one
    DeltaTable(copied.warehouse.path("features")).delete("machine = 'm1'")
    assert plan_reasons(night, about, sampled, "1").background.equals(
        beside.background
    )  # of the version that is scored
    ids = pa.array([f"{number:064}" for number in range(40)])
    scored = pa.table({"prediction_id": ids, "score": sampled.predict(ROWS)})
    columns = add_reasons(carry(scored, ROWS, beside), sampled, beside)
    explained = [row is not None for row in columns["reasons"].to_pylist()]
    assert 10 < sum(explained) < 30
    more = replace(beside, wording=replace(beside.wording, settings=Reasons(sample=0.7)))
    again = add_reasons(carry(scored, ROWS, more), sampled, more)["reasons"].to_pylist()
    assert [row for row, was in zip(again, explained, strict=True) if was] == [
        row for row in columns["reasons"].to_pylist() if row is not None
    ]
    assert plan_reasons(night_of(copied, copied.project), about, sampled, "1") is None
    assert carry(scored, ROWS, None) is scored


def test_rows_that_are_chosen_once_all_are_scored_are_explained_then_in_the_words_of_their_tier():
    """Two tasks hold back three rows each; three of all are decided against, and have reasons, and nobody else."""
    linear = fit(Model(Estimator.LOGISTIC), Examples(ROWS, np.arange(40) % 17 > 8), features=FEATURES, seed=0)
    adverse = AdverseAction(["review"], wording=dict.fromkeys(["load", "site"], SENTENCE))
    wording = Wording(Reasons(["review"], adverse=adverse), {}, Masking())
    plan = ReasonsPlan(wording, ("load", "site"), (), ROWS.slice(0, 0))
    tiers = [TierThreshold("review", 2.0, at_most=3)]

    def score_share(batches):
        for batch in batches:
            rows = pa.Table.from_batches([batch])
            scores = linear.predict(rows)
            ids = pa.array(
                [f"{load}-{site}-{len(rows)}" for load, site in zip(*rows.to_pydict().values(), strict=True)]
            )
            columns = {
                "prediction_id": ids,
                "score": scores,
                "raw_score": scores,
                "tier": pa.nulls(len(rows), pa.string()),
            }
            yield carry(pa.table(columns), rows, plan)

    shares = ROWS.slice(0, 22).to_batches(), ROWS.slice(22).to_batches()
    task = with_reasons(lambda batches: hold_back(score_share(batches), tiers), lambda: linear, plan)
    parts = [part for share in shares for part in task(iter(share))]
    unfinished = [part.rows for part in parts if isinstance(part, Unfinished)]
    others = [part for part in parts if not isinstance(part, Unfinished)]
    last = add_reasons(finish(unfinished, tiers), linear, plan)
    assert [len(rows) for rows in unfinished] == [3, 3]
    assert all(one.column_names == last.column_names == [*last.column_names[:4], "reasons"] for one in others)
    assert {reason for one in others for reason in one["reasons"].to_pylist()} == {None}
    rows = last.to_pylist()
    assert sum(row["tier"] == "review" for row in rows) == 3
    for row in rows:
        told = [reason["text"] for reason in row["reasons"] or ()]
        assert told == ([SENTENCE] if row["tier"] == "review" else [])


def test_of_several_classes_rows_have_reasons_by_their_class_where_they_have_no_tier_of_abstention():
    """The column `tier` is there where rows may abstain, and null for all others."""
    linear = fit(Model(Estimator.LOGISTIC), Examples(ROWS, np.arange(40) % 17 > 8), features=FEATURES, seed=0)
    columns = pa.table({"prediction_id": ["a", "b", "c"], "score": linear.predict(ROWS.slice(0, 3))})
    columns = columns.append_column("tier", pa.array([None, None, "abstained"], pa.string()))
    columns = columns.append_column("predicted", pa.array(["late", "early", "late"]))
    for names, expected in ((["late"], [True, False, False]), (["abstained", "early"], [False, True, True])):
        plan = ReasonsPlan(Wording(Reasons(names), {}, Masking()), ("load", "site"), (), ROWS.slice(0, 0))
        explained = add_reasons(carry(columns, ROWS.slice(0, 3), plan), linear, plan)
        assert explained["reasons"].is_valid().to_pylist() == expected
