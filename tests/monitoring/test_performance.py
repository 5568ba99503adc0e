"""Performance: earlier nights' served predictions, on the labels known at the run date's midnight."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import builders
from builders import rows_of
from nightjar.errors import TableError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.estimate_intervals import reach
from nightjar.evaluation.estimates import Method
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rehearsal import rehearse
from nightjar.monitoring import performance
from nightjar.monitoring.history import read_history
from nightjar.monitoring.promises import promise_of
from nightjar.monitoring.signals import Kind, State
from nightjar.registry import events
from nightjar.settings.acting import Acted
from nightjar.settings.costs import Costs
from nightjar.settings.fairness import GroupFairness
from nightjar.settings.features import Aggregate
from nightjar.settings.spine import Sample, SampleBy
from nightjar.settings.task import Task
from nightjar.settings.tiers import Tier, TierKind
from nightjar.tables import arrow
from nightjar.tables.definitions import features_table, labels_table
from nightjar.tables.score_definitions import scores_table

D1, D2, D3, D4 = (date(2024, 4, n) for n in (1, 2, 3, 4))
PROJECT = builders.machines(Path("files"))
REGRESSION = replace(PROJECT, label=replace(PROJECT.label, task=Task.REGRESSION))
RANKING = replace(PROJECT, label=replace(PROJECT.label, task=Task.RANKING, query=["site", "prediction_time"]))
KEY = pa.schema([("machine", pa.string())])


def midnight(day, hours=0):
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours - 2)


def store_scores(warehouse, day, scores, role="champion", version="1", hour=0):
    rows = [
        {
            "prediction_id": f"{machine}-{day}-{role}-{hour}",
            "prediction_time": midnight(day, hour),
            "machine": machine,
            "score": score,
            "model_version": version,
            "model_name": "m",
            "run_date": day,
            "role": role,
            "run_id": "s",
        }
        for machine, score in scores.items()
    ]
    arrow.append(warehouse, scores_table(PROJECT, KEY), rows, "s")


def store_label(warehouse, machine, day, label, known_at, project=PROJECT, hour=0, label_hash=None, **marks):
    key = {"machine": machine, "prediction_time": midnight(day, hour), "label_hash": label_hash, **marks}
    row = key | {"label": label, "label_known_at": known_at, "run_date": day + timedelta(days=1), "run_id": "l"}
    arrow.append(warehouse, labels_table(project, KEY), [row], "l")


def store_features(warehouse, day, column, values):
    """The part of the feature table that performance reads: lists are made of some columns, weights are one."""
    of_values = pa.array(values.values()).type
    table = features_table(PROJECT, pa.schema([*KEY, (column, of_values)]), pa.schema([]))
    same = {"prediction_time": midnight(day), "definitions_hash": "d1", "run_date": day, "run_id": "f"}
    arrow.append(
        warehouse, table, [{"machine": machine, column: value} | same for machine, value in values.items()], "f"
    )


def measured(warehouse, run_date, project=PROJECT):
    """evaluated date -> measure -> value, and whether it is provisional."""
    performance.measure(warehouse, project, run_date, "run")
    figures = {}
    names = ("evaluated_date", "subject", "slice", "measure", "value", "provisional", "run_date")
    for day, subject, of, measure, value, provisional, on in rows_of(warehouse, "performance", *names):
        if on == run_date and (subject, of) == ("champion", "all"):
            figures.setdefault(day, {"provisional": provisional})[measure] = value
    return figures


@pytest.fixture
def scored(warehouse):
    """Four predictions of 1 April, four more by the role that nobody was served."""
    scores = {"m1": 0.9, "m2": 0.8, "m3": 0.3, "m4": 0.1}
    store_scores(warehouse, D1, scores)
    store_scores(warehouse, D1, dict.fromkeys(scores, 0.5), role="retrospective")
    arrow.ensure(warehouse, features_table(PROJECT, KEY, pa.schema([])))
    return warehouse


def test_only_what_is_known_counts_and_the_matured_share_says_how_much_that_is(scored):
    """m1 true, m2 false, m3 settled without outcome, m4 known only after the run date's midnight."""
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    store_label(scored, "m2", D1, False, midnight(D2))
    store_label(scored, "m3", D1, None, midnight(D2))
    store_label(scored, "m4", D1, True, midnight(D2, 0.5))
    figures = measured(scored, D2)
    assert list(figures) == [D1]
    day = figures[D1]
    assert (day["rows"], day["matured_share"], day["positive_rate"]) == (2, 0.75, 0.5)
    assert day["roc_auc"] == 1.0
    assert day["brier"] == pytest.approx((0.1**2 + 0.8**2) / 2)
    assert measured(scored, D3)[D1]["matured_share"] == 1.0


def test_rows_that_were_acted_on_are_judged_apart(scored):
    """Of three known rows somebody acted on m2 and m3; what is not recorded was not acted on."""
    marked = replace(PROJECT, label=replace(PROJECT.label, acted=Acted("failed")))
    for machine, label, acted in (("m1", True, None), ("m2", False, True), ("m3", True, True)):
        store_label(scored, machine, D1, label, midnight(D1, 5), marked, acted=acted)
    performance.measure(scored, marked, D2, "run")
    figures = {
        (of, measure): value
        for day, of, measure, value in rows_of(scored, "performance", "evaluated_date", "slice", "measure", "value")
        if day == D1
    }
    assert [figures[of, "rows"] for of in ("all", "acted", "not_acted")] == [3, 2, 1]
    assert [figures[of, "positive_rate"] for of in ("all", "acted", "not_acted")] == [2 / 3, 0.5, 1.0]


def test_the_latest_version_of_a_label_known_by_then_counts(scored):
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    store_label(scored, "m1", D1, False, midnight(D2, 9))
    assert measured(scored, D2)[D1]["positive_rate"] == 1.0
    assert measured(scored, D3)[D1]["positive_rate"] == 0.0


def test_a_figure_is_provisional_until_the_horizon_has_passed(scored):
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    slow = replace(PROJECT, label=replace(PROJECT.label, horizon="2d"))
    assert measured(scored, D2, slow)[D1]["provisional"] is True
    assert measured(scored, D3, slow)[D1]["provisional"] is False
    assert measured(scored, D2)[D1]["provisional"] is False


def test_figures_are_provisional_until_the_last_row_s_label_is_final(warehouse):
    """Rows of 06, 12, 18 and 22 h: the horizon of the last passes at 22 h, late facts may correct it for 3 h."""
    arrow.ensure(warehouse, features_table(PROJECT, KEY, pa.schema([])))
    for number, hour in enumerate((6, 12, 18, 22)):
        store_scores(warehouse, D1, {f"m{number}": 0.5}, hour=hour)
        store_label(warehouse, f"m{number}", D1, number % 2 == 0, midnight(D1, hour + 11), hour=hour)
    half = measured(warehouse, D2)[D1]
    assert (half["matured_share"], half["rows"], half["provisional"]) == (0.5, 2, True)
    late = replace(PROJECT, label=replace(PROJECT.label, allowed_lateness="3h"))
    whole = [measured(warehouse, D3, project)[D1] for project in (PROJECT, late)]
    assert [(day["matured_share"], day["provisional"]) for day in whole] == [(1.0, False), (1.0, True)]
    assert measured(warehouse, D4, late)[D1]["provisional"] is False


def test_a_day_s_horizon_ends_at_the_next_midnight_also_where_it_has_23_hours(warehouse):
    """31 March 2024 in Paris."""
    arrow.ensure(warehouse, features_table(PROJECT, KEY, pa.schema([])))
    day = D1 - timedelta(days=1)
    store_scores(warehouse, day, {"m1": 0.9}, hour=1)
    store_label(warehouse, "m1", day, True, midnight(D1), hour=1)
    assert measured(warehouse, D1)[day]["provisional"] is False


EARLY = replace(
    PROJECT,
    label=replace(
        PROJECT.label, aggregate=Aggregate.COUNT, condition="value > 0", settled_early=True, allowed_lateness="1d"
    ),
)


def test_a_night_of_which_only_early_positives_are_known_has_no_figures(scored):
    """Of m5, predicted at 22 h, it may still be true as well as false on 2 April; then no fact may come late."""
    store_scores(scored, D1, {"m5": 0.7}, hour=22)
    store_label(scored, "m1", D1, True, midnight(D1, 9), EARLY)
    store_label(scored, "m5", D1, True, midnight(D1, 23), EARLY, hour=22)
    slow = replace(EARLY, label=replace(EARLY.label, horizon="3d"))
    early = measured(scored, D2, slow)[D1]
    assert {name for name, value in early.items() if value is not None} == {
        "rows",
        "matured_share",
        "provisional",
        "known_positive_share",
    }
    assert (early["rows"], early["matured_share"], early["provisional"]) == (0, 0.4, True)
    for machine in ("m2", "m3", "m4"):
        store_label(scored, machine, D1, False, midnight(D2), EARLY)
    most = measured(scored, D2, EARLY)[D1]
    assert (most["rows"], most["matured_share"], most["positive_rate"], most["provisional"]) == (4, 1.0, 0.25, True)
    last = [measured(scored, day, EARLY)[D1] for day in (D3, D4)]
    assert [(day["rows"], day["positive_rate"], day["provisional"]) for day in last] == [
        (5, 0.4, True),
        (5, 0.4, False),
    ]


def test_without_any_label_every_figure_is_undefined_and_none_is_matured(scored):
    store_label(scored, "m9", D1, True, midnight(D1, 9))
    day = measured(scored, D2)[D1]
    assert (day["rows"], day["matured_share"]) == (0, 0)
    assert (day["roc_auc"], day["log_loss"]) == (None, None)


def test_a_night_stays_in_sight_until_a_week_after_its_horizon(scored):
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    assert D1 not in measured(scored, D1)
    assert D1 in measured(scored, D2)
    assert D1 in measured(scored, D1 + timedelta(days=8))
    assert D1 not in measured(scored, D1 + timedelta(days=9))


def test_a_night_is_judged_however_long_ago_it_was_until_its_figures_are_final(scored):
    """After a gap of a month, or of a year; its provisional figures of 2 April judge it for good no more than none."""
    store_scores(scored, D2, {"m1": 0.9})
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    store_label(scored, "m1", D2, False, midnight(D2, 9))
    slow = replace(PROJECT, label=replace(PROJECT.label, horizon="2d"))
    assert measured(scored, D2, slow)[D1]["provisional"] is True
    month, year = D1 + timedelta(days=31), D1 + timedelta(days=366)
    for again in range(2):  # a rerun of the date finds the same
        figures = measured(scored, month, slow)
        assert {day: one["provisional"] for day, one in figures.items()} == {D1: False, D2: False}, again
    assert measured(scored, year, slow) == {}
    assert set(measured(scored, month - timedelta(days=1), slow)) == {D1, D2}  # a backfill knows nothing of later runs


def test_a_night_that_another_model_has_scored_since_is_judged_again(scored):
    month, year = D1 + timedelta(days=31), D1 + timedelta(days=366)
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    assert set(measured(scored, month)) == {D1}
    arrow.replace(scored, scores_table(PROJECT, KEY), [], {"run_date": D1, "role": "champion"}, "s")
    store_scores(scored, D1, {"m1": 0.4}, version="2")
    assert set(measured(scored, year)) == {D1}


def test_scores_of_a_model_of_another_label_are_not_judged(scored, caplog):
    """Version 1 learned the label that is stored, version 2 another one, version 3 one of before labels had hashes."""

    def register(number, evidence):
        events.record(scored, "registered", events.Version(number, "m", D1, evidence), "t")

    for day, number in ((D2, "2"), (D3, "3")):
        store_scores(scored, day, {"m1": 0.9}, version=number)
    for day in (D1, D2, D3):
        store_label(scored, "m1", day, True, midnight(day, 9))  # of before, too
    store_label(scored, "m2", D1, True, midnight(D1, 9), label_hash="b" * 64)
    register("1", {events.LABEL_HASH: "b" * 64})
    register("3", {})
    assert set(measured(scored, D4)) == {D1, D2, D3}
    register("2", {events.LABEL_HASH: "a" * 64})
    with caplog.at_level("INFO", "nightjar"):
        assert set(measured(scored, D4)) == {D1, D3}
    assert "not judged: 1 nights from 2024-04-02 to 2024-04-02, scored by models of another label" in caplog.messages


def test_a_rerun_replaces_its_own_date_alone(scored):
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    measured(scored, D2)
    measured(scored, D3)
    before = rows_of(scored, "performance")
    assert {on for (on,) in rows_of(scored, "performance", "run_date")} == {D2, D3}
    measured(scored, D2)
    assert rows_of(scored, "performance") == before


def test_predicted_numbers_are_judged_in_the_unit_of_their_label(scored):
    """Of scores 0.9, 0.8 and 0.3 the labels are 1.9, 0.8 and -0.7: two errors of 1."""
    for machine, label in {"m1": 1.9, "m2": 0.8, "m3": -0.7, "m4": None}.items():
        store_label(scored, machine, D1, label, midnight(D1, 9), REGRESSION)
    day = measured(scored, D2, REGRESSION)[D1]
    assert (day["rows"], day["matured_share"]) == (3, 1.0)
    assert day["rmse"] == pytest.approx((2 / 3) ** 0.5)
    assert day["mae"] == pytest.approx(2 / 3)
    assert day["mean_label"] == pytest.approx(2 / 3)
    assert day["r2"] == pytest.approx(1 - 2 / (1.9**2 + 0.8**2 + 0.7**2 - 3 * (2 / 3) ** 2))
    assert not {"roc_auc", "positive_rate", "ndcg"} & set(day)
    assert day["label_shift"] == pytest.approx(2 / 3 - 2 / 3)
    store_scores(scored, D2, {"m1": 0.9})
    _, signals = performance.measure(scored, REGRESSION, D2, "run")
    (tonight,) = (row for row in arrow.read(scored, "performance").to_pylist() if row["subject"] == "estimate")
    assert (tonight["measure"], tonight["value"]) == ("rmse", None)
    assert tonight["reason"] == "UNKNOWN: no earlier scores of this version have labels to learn from"
    (estimates,) = (one for one in signals if one.subject == "estimates")
    assert estimates.state is State.UNKNOWN


def test_an_order_is_judged_within_the_lists_that_the_features_name(scored):
    """At the north the better of two comes first, at the south last; next day's rows are lists of their own."""
    store_scores(scored, D2, {"m1": 0.1, "m2": 0.2})
    for day in (D1, D2):
        store_features(scored, day, "site", {"m1": "north", "m2": "north", "m3": "south", "m4": "south"})
        for machine, relevance in {"m1": 2.0, "m2": 0.0, "m3": 0.0, "m4": 1.0}.items():
            store_label(scored, machine, day, relevance, midnight(day, 9), RANKING)
    figures = measured(scored, D3, RANKING)
    last = 1 / np.log2(3)
    assert figures[D1]["ndcg"] == pytest.approx((1 + last) / 2)
    assert figures[D2]["ndcg"] == pytest.approx(last)
    assert (figures[D1]["rows"], figures[D1]["mean_label"]) == (4, 0.75)


def test_rows_of_a_sample_count_as_many_times_as_they_stand_for(scored):
    """m1 and m2 stand for one each, m3 for three; of m4 the features no longer tell, and it counts once.

    The project may have ceased to sample since: the night's rows still are one.
    """
    sampled = replace(PROJECT, spine=replace(PROJECT.spine, sample=Sample(SampleBy.DAY, maximum=4)))
    store_features(scored, D1, "sampling_weight", {"m1": 1.0, "m2": 1.0, "m3": 3.0})
    for machine, label in {"m1": True, "m2": False, "m3": True, "m4": False}.items():
        store_label(scored, machine, D1, label, midnight(D1, 9))
    day = measured(scored, D2, sampled)[D1]
    assert day["positive_rate"] == pytest.approx(4 / 6)
    assert day["brier"] == pytest.approx((0.1**2 + 0.8**2 + 3 * 0.7**2 + 0.1**2) / 6)
    assert measured(scored, D2) == {D1: day}


def test_the_features_and_the_columns_that_lists_are_made_of_are_needed(warehouse):
    store_scores(warehouse, D1, {"m1": 0.9})
    store_label(warehouse, "m1", D1, 1.0, midnight(D1, 9), RANKING)
    with pytest.raises(TableError, match="There is no Delta table features"):
        performance.measure(warehouse, RANKING, D2, "run")
    store_features(warehouse, D1, "site", {"m1": "north"})
    other = replace(RANKING, label=replace(RANKING.label, query=["load"]))
    with pytest.raises(TableError, match=r"Table features at .* has no column load"):
        performance.measure(warehouse, other, D2, "run")


def test_the_nights_of_the_tiny_project_were_judged_one_day_later_and_before_that_estimated(nights):
    """The training has stored its nights; they are too few for an interval."""
    rows = arrow.read(nights.warehouse, "performance", where=pc.field("slice") == "all").to_pylist()
    figures = {(row["evaluated_date"], row["subject"], row["measure"]): row for row in rows}
    for measure in ("roc_auc", "matured_share"):
        judged = figures[D1, "champion", measure]
        assert (judged["run_date"], judged["value"], judged["provisional"]) == (D2, 1.0, False)
    tonight = figures[D2, "estimate", "log_loss"]
    assert (tonight["run_date"], tonight["low"], tonight["age_days"], tonight["coverage"]) == (D2, None, 0, 0.0)
    assert "19 are needed" in tonight["reason"]
    stored = promise_of(events.champion(nights.warehouse, D2).evidence)
    assert stored.rehearsal.nights[-1] < D1
    assert ("all", "label_shift") in stored.rehearsal.figures
    assert figures[D1, "champion", "roc_auc"]["at_training"] == stored.own["roc_auc"]["estimate"]


CLASSES = replace(
    PROJECT,
    label=replace(PROJECT.label, task=Task.MULTICLASS, classes={"ok": "Fine", "worn": "Worn", "broken": "Broken"}),
    costs=Costs(
        matrix={"ok": {"worn": 1, "broken": 2}, "worn": {"ok": 3, "broken": 1}, "broken": {"ok": 9, "worn": 4}}
    ),
)


def test_served_decisions_between_classes_are_judged_and_a_class_that_the_model_lacks_is_an_error(warehouse):
    """The model knows nothing of broken machines; of three rows one is right, at costs of 4 for the broken one."""
    arrow.ensure(warehouse, features_table(CLASSES, KEY, pa.schema([])))
    rows = [
        {
            "prediction_id": machine,
            "prediction_time": midnight(D1),
            "machine": machine,
            "score": 0.7,
            "predicted": "worn",
            "probabilities": [("ok", 0.3), ("worn", 0.7)],
            "model_version": "1",
            "model_name": "m",
            "run_date": D1,
            "role": "champion",
            "run_id": "s",
        }
        for machine in ("m1", "m2", "m3")
    ]
    arrow.append(warehouse, scores_table(CLASSES, KEY), rows, "s")
    for machine, label in {"m1": "worn", "m2": "broken", "m3": None}.items():
        store_label(warehouse, machine, D1, label, midnight(D1, 9), CLASSES)
    day = measured(warehouse, D2, CLASSES)[D1]
    assert (day["rows"], day["accuracy"], day["recall[broken]"], day["unseen_share"]) == (2, 0.5, 0, 0.5)
    assert (day["expected_cost"], day["log_loss"], day["brier"]) == (2, None, pytest.approx((0.18 + 1.58) / 2))
    stored = arrow.read(warehouse, "performance").to_pylist()
    (loss,) = (row for row in stored if (row["slice"], row["measure"]) == ("all", "log_loss"))
    assert loss["reason"] == "1 of 2 rows is of a class to which the model gives no probability"
    taken = {row["measure"]: (row["value"], row["rows"]) for row in stored if row["slice"] == "class broken"}
    assert taken == {"predicted[worn]": (1, 1)}
    others = replace(CLASSES.label, classes={"ok": "Fine", "worn": "Worn", "new": "New"})
    with pytest.raises(TableError, match="Table labels holds label 'broken' in 1 of 2 judged rows: expected one of"):
        measured(warehouse, D2, replace(CLASSES, label=others, costs=Costs()))


WATCHED = replace(
    PROJECT,
    monitoring=replace(PROJECT.monitoring, slices=["site"]),
    fairness=GroupFairness(groups=["site"], least_rows=1, allow_as_feature=["site"]),
    tiers={"act": Tier(TierKind.PROBABILITY, at_least=0.5)},
    costs=Costs(missed=5.0, false_alarm=1.0),
)
TRAINED = 40
"""Nights of a training."""


def rehearsed(parts=None):
    """The nights of a training of which scores were right on average, with 30 rows each.

    Args:
        parts: name of a part -> whether each of the 30 is of it.
    """
    day = np.repeat(np.arange(D1 - timedelta(days=TRAINED), D1, dtype="datetime64[D]"), 30)
    random, rows = np.random.default_rng(0), np.arange(30 * TRAINED)
    score = random.uniform(0.1, 0.9, len(rows))
    truth = Truth(Task.CLASSIFICATION, random.random(len(rows)) < score, Clusters(rows, 0 * rows))
    parts = {name: np.tile(member, TRAINED) for name, member in (parts or {}).items()}
    return rehearse(day, day + 2, truth, score, parts)


def test_a_night_has_parts_groups_costs_a_challenger_and_what_is_expected_of_tonight(warehouse):
    """Four rows of 1 April, two of them acted on; tonight is the 2nd, whose labels are open."""
    scores = {"m1": 0.9, "m2": 0.8, "m3": 0.3, "m4": 0.1}
    for day in (D1, D2):
        store_tiered(warehouse, day, scores)
    store_tiered(warehouse, D1, dict.fromkeys(scores, 0.5), role="challenger", version="2")
    store_features(warehouse, D1, "site", {"m1": "a", "m2": "a", "m3": "b", "m4": "b"})
    for machine, label in {"m1": True, "m2": False, "m3": True, "m4": False}.items():
        store_label(warehouse, machine, D1, label, midnight(D1, 9))
    own = {"roc_auc": {"estimate": 0.8, "low": 0.7, "high": 0.9}}
    evidence = {"candidate": own, "baselines": {"majority": own}, "difference": {"over": "majority"}}
    events.record(
        warehouse, "registered", events.Version("1", "m", D1, evidence | {"rehearsal": rehearsed().to_json()}), "t"
    )
    outcome, signals = performance.measure(warehouse, WATCHED, D2, "run")
    stored = {
        (row["evaluated_date"], row["subject"], row["slice"], row["measure"]): row
        for row in arrow.read(warehouse, "performance").to_pylist()
    }
    assert len(stored) == outcome.rows["performance"], "every row has a key of its own"
    value = {key[1:]: row["value"] for key, row in stored.items() if key[0] == D1}
    assert value["champion", "all", "label_shift"] == pytest.approx(0.5 - 2.1 / 4)
    assert value["champion", "site=a", "label_shift_against_rest"] == pytest.approx((0.5 - 0.85) - (0.5 - 0.2))
    assert (value["champion", "site=a", "selection_rate"], value["champion", "site=b", "recall"]) == (1, 0)
    assert value["champion", "site=a", "selection_rate_against_rest"] == 1
    costs = [value["champion", "all", name] for name in ("cost", "cost_if_none", "cost_if_all")]
    assert costs == [(1 + 5) / 4, 10 / 4, 2 / 4]
    assert (value["challenger", "all", "roc_auc"], value["champion", "all", "roc_auc"]) == (0.5, 0.75)
    assert value["champion", "all", "known_positive_share"] == 0.5
    judged = stored[D1, "champion", "all", "roc_auc"]
    assert [judged[name] for name in ("basis", "coverage", "age_days", "at_training", "baseline")] == [
        *("realised", 1.0, 1, 0.8, 0.8)
    ]
    tonight = stored[D2, "estimate", "all", "brier"]
    expected = np.mean([score * (1 - score) for score in scores.values()])
    assert tonight["value"] == pytest.approx(expected, abs=0.06)
    assert tonight["low"] < tonight["value"] < tonight["high"]
    assert (tonight["basis"], tonight["coverage"], tonight["age_days"]) == ("estimated", 0.0, 0)
    assert stored[D2, "estimate_confidence", "all", "brier"]["value"] == pytest.approx(expected, abs=0.05)
    states = {(one.kind, one.subject): one.state for one in signals}
    assert states[Kind.PERFORMANCE, "labels"] is State.OK
    assert states[Kind.PERFORMANCE, "estimates"] is State.OK
    assert states[Kind.PRIOR, "all figures"] is State.OK
    later, _ = performance.measure(warehouse, WATCHED, D2, "run")
    assert later.rows == outcome.rows
    history = read_history(warehouse, D3)
    assert history.versions() == {D1: "1"}
    assert list(history.estimates["estimate_confidence", "all", "brier"]) == [D2]
    assert history.shares == {1: [1.0]}
    assert read_history(warehouse, D2).final == {}


def test_each_part_of_rows_enough_is_estimated_once_with_an_interval_of_its_own_nights(warehouse):
    """Ten machines are at each of two sites, of which the training had one alone; three more at a third."""
    slow = replace(WATCHED, label=replace(WATCHED.label, horizon="2d"))
    machines = [f"m{number}" for number in range(23)]
    sites = dict(zip(machines, [*(10 * "a"), *(10 * "b"), *(3 * "c")], strict=True))
    scores = dict(zip(machines, np.random.default_rng(1).uniform(0.1, 0.9, 23), strict=True))
    for day in (D1, D2):
        store_tiered(warehouse, day, scores)
        store_features(warehouse, day, "site", sites)
    arrow.ensure(warehouse, labels_table(slow, KEY))
    past = rehearsed({"site=a": np.arange(30) < 10})
    events.record(warehouse, "registered", events.Version("1", "m", D1, {"rehearsal": past.to_json()}), "t")
    _, signals = performance.measure(warehouse, slow, D1, "run")
    (estimates,) = (one for one in signals if one.subject == "estimates")
    assert estimates.state is State.OK
    assert "site" not in estimates.sentence + str(estimates.evidence)
    stored = {
        (row["subject"], row["slice"], row["measure"]): row
        for row in arrow.read(warehouse, "performance").to_pylist()
        if row["slice"].startswith("site")
    }
    assert set(stored) == {
        (subject, f"site={one}", "roc_auc") for subject in ("estimate", "estimate_confidence") for one in "ab"
    }
    outcomes = promise_of({"rehearsal": past.to_json()}).rehearsal.outcomes("site=a", "roc_auc", Method.CONFIDENCE)
    reached, raw, own = (
        reach(outcomes, delay=2),
        *(stored[name, "site=a", "roc_auc"] for name in ("estimate_confidence", "estimate")),
    )
    assert own["value"] == pytest.approx(reached.line.at(raw["value"]))
    assert (own["low"], own["high"]) == (
        pytest.approx(own["value"] - reached.half),
        pytest.approx(min(1, own["value"] + reached.half)),
    )
    assert (own["interval_coverage"], own["rows"]) == (pytest.approx(reached.coverage), 10)
    other = stored["estimate", "site=b", "roc_auc"]
    assert (other["low"], other["reason"]) == (
        None,
        "UNKNOWN: of 0 nights both estimate and outcome are there, 19 are needed",
    )
    performance.measure(warehouse, slow, D2, "run")
    both = pc.field("slice").isin(["all", "site=a"]) & (pc.field("subject") == "estimate")
    rows = arrow.read(warehouse, "performance", where=both & (pc.field("run_date") == D2)).to_pylist()
    assert {(row["slice"], row["evaluated_date"]) for row in rows} == {("all", D1), ("all", D2), ("site=a", D2)}


def store_tiered(warehouse, day, scores, role="champion", version="1"):
    rows = [
        {
            "prediction_id": f"{machine}-{day}-{role}",
            "prediction_time": midnight(day),
            "machine": machine,
            "score": score,
            "tier": "act" if score >= 0.5 else None,
            "model_version": version,
            "model_name": "m",
            "run_date": day,
            "role": role,
            "run_id": "s",
        }
        for machine, score in scores.items()
    ]
    arrow.append(warehouse, scores_table(WATCHED, KEY), rows, "s")
