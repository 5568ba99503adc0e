"""Drift from counts: small histograms by hand, and the counts of a night against counting in one piece."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable, write_deltalake

import builders
from builders import rows_of
from nightjar.errors import ModelError
from nightjar.evaluation.histograms import Bins, count
from nightjar.monitoring import counting, drift, drift_figures
from nightjar.monitoring.drift_references import Reference, read_references
from nightjar.monitoring.night_counts import watched_columns
from nightjar.monitoring.tallies import SPECIAL, WHOLE, TallyPlan, tally
from nightjar.settings.monitoring.monitoring import Monitoring
from nightjar.tables import arrow, predictions
from nightjar.tables.monitoring_definitions import REFERENCES

D1, D2 = date(2024, 4, 1), date(2024, 4, 2)
NUMBERS, LEVELS = Bins("numeric", edges=(0.0, 1.0)), Bins("categorical", levels=("a", "b"))


def no_session():
    raise AssertionError("few rows need no session")


def test_the_same_shares_have_no_distance():
    """10 rows and 20 rows of the same shares: nothing but the half row of smoothing tells them apart."""
    result = drift_figures.distances(Reference(NUMBERS, np.array([1, 2, 4, 3])), np.array([2, 4, 8, 6]))
    assert {"null_share", "psi", "psi_p_value", "ks", "ks_p_value", "wasserstein"} <= set(result)
    assert result["null_share"] == 0.1
    assert result["ks"] == pytest.approx(0)
    assert result["psi"] < 0.01
    assert result["psi_p_value"] > 0.9


def test_numbers_are_compared_by_psi_and_the_greatest_gap_of_the_cumulative_shares():
    """Values: 1, 2, 1 of 4 against 1, 0, 3 of 4: the gap is 1/2. Nulls: 0 of 4 against 4 of 8."""
    result = drift_figures.distances(Reference(NUMBERS, np.array([0, 1, 2, 1])), np.array([4, 1, 0, 3]))
    assert result["ks"] == pytest.approx(0.5)
    assert result["null_share"] == 0.5
    expected, actual = np.array([0.5, 1.5, 2.5, 1.5]) / 6, np.array([4.5, 1.5, 0.5, 3.5]) / 10
    assert result["psi"] == pytest.approx(float(((actual - expected) * np.log(actual / expected)).sum()))


def test_levels_are_compared_by_psi_and_pearson_s_test():
    """10 and 10 against 15 and 5: chi squared is 4 * 2.5**2 / 12.5 + ..., as in any table of 2 by 2."""
    result = drift_figures.distances(Reference(LEVELS, np.array([0, 10, 10, 0])), np.array([0, 15, 5, 0]))
    expected = 2 * 2.5**2 / 12.5 + 2 * 2.5**2 / 7.5
    assert result["chi_squared"] == pytest.approx(expected)
    assert result["chi_squared_p_value"] == pytest.approx(math.erfc(math.sqrt(expected / 2)))
    assert "ks" not in result


def test_no_rows_are_no_figure():
    result = drift_figures.distances(Reference(NUMBERS, np.array([1, 2, 3, 4])), np.zeros(4, np.int64))
    assert {name for name, value in result.items() if value is not None} == {"distinct"}


def test_what_is_told_apart_from_distances():
    """Of numbers those outside the training data's range, of levels new ones and those that did not come."""
    numbers = drift_figures.distances(Reference(NUMBERS, np.array([0, 0, 8, 0])), np.array([1, 2, 4, 1]), (1, 2))
    shares = ("null_share", "nan_share", "infinite_share", "below_share", "above_share", "distinct")
    assert [numbers[name] for name in shares] == [1 / 8, 1 / 8, 2 / 8, 2 / 8, 1 / 8, 3]
    levels = Reference(LEVELS, np.array([0, 500, 500, 0]), design_effect=2.0)
    several = drift_figures.distances(levels, np.array([0, 60, 0, 20]))
    assert (several["new_share"], several["vanished"]) == (0.25, 1)  # 40 of b were expected, worth 20
    assert drift_figures.vanished(levels, np.array([0, 59, 0, 20])) == []  # one row fewer is too few
    assert not {"nan_share", "below_share"} & set(several)


def test_a_column_is_constant_where_its_reference_is_not():
    varied, most = Reference(LEVELS, np.array([0, 80, 20, 0])), Reference(LEVELS, np.array([0, 95, 5, 0]))
    assert drift_figures.is_constant(varied, np.array([0, 20, 0, 0]))
    assert not drift_figures.is_constant(varied, np.array([0, 19, 0, 0]))
    assert not drift_figures.is_constant(varied, np.array([0, 19, 1, 0]))
    assert not drift_figures.is_constant(most, np.array([0, 50, 0, 0]))


@pytest.mark.parametrize("by_tasks", [False, True])
def test_counts_of_a_partition_are_those_of_the_whole_in_this_process_and_by_tasks(
    warehouse, spark, monkeypatch, by_tasks
):
    """Whole, by slice, of numbers that are none, and the lengths of texts."""
    x = pa.array([None, -1.0, 0.5, 1.0, 7.0, math.nan, math.inf], from_pandas=False)
    rows = pa.table({"x": x, "s": ["a", "b", "c", None, "a", "b", "long"], "day": [1, 1, 1, 1, 1, 1, 2]})
    write_deltalake(warehouse.path("features"), rows, partition_by=["day"])
    plan = TallyPlan({"x": NUMBERS, "s": LEVELS}, {"s": Bins("numeric", edges=(1.0, 2.0))}, {"s": ("a", "b")})
    if by_tasks:
        monkeypatch.setattr(counting, "MOST_CELLS", 0)
    counts = counting.count_partition(
        lambda: spark if by_tasks else no_session(), warehouse, "features", 0, {"day": 1}, plan
    )
    assert {name: one.tolist() for name, one in counts.items()} == {
        (WHOLE, "x"): [2, 1, 1, 2],
        (SPECIAL, "x"): [1, 0, 0],
        (WHOLE, "s"): [1, 2, 2, 1],
        (WHOLE, "length(s)"): [1, 0, 5, 0],
        ("s=a", "x"): [1, 0, 0, 1],
        ("s=a", "s"): [0, 2, 0, 0],
        ("s=b", "x"): [1, 1, 0, 0],
        ("s=b", "s"): [0, 0, 2, 0],
    }


def test_a_column_that_cannot_be_counted_is_said_to_be_so_and_the_others_are_counted():
    plan = TallyPlan({"gone": NUMBERS, "was_text": LEVELS, "x": NUMBERS}, {}, {})
    reasons = plan.misfits(pa.schema({"was_text": pa.float64(), "x": pa.int64()}))
    assert reasons == {
        "gone": "the table has no such column any more",
        "was_text": "it has the type double, and was categorical in training",
    }
    assert plan.without(reasons).columns == ["x"]


def test_of_several_classes_the_predicted_one_and_each_probability_are_counted():
    """A class that the model does not know has the probability 0; names may hold any character."""
    maps = pa.array([[("a`b", 0.7), ("c.d", 0.3)], [("c.d", 1.0)]], pa.map_(pa.string(), pa.float64()))
    scores = pa.table({"score": [0.7, 1.0], "predicted": ["a`b", "c.d"], "probabilities": maps, "role": ["x", "x"]})
    halves, levels = Bins("numeric", edges=(0.5,)), Bins("categorical", levels=("a`b",))
    plan = TallyPlan(
        {"probability[a`b]": halves, "probability[c.d]": halves, "score": halves, "predicted class": levels}
    )
    result = tally(plan, watched_columns(scores, ["a`b", "c.d"]))
    assert {name: counts.tolist() for (of, name), counts in result.items() if of == WHOLE} == {
        "probability[a`b]": [0, 1, 1],
        "probability[c.d]": [0, 1, 1],
        "score": [0, 0, 2],
        "predicted class": [0, 1, 1],
    }


def test_what_is_watched_of_scores_follows_from_the_reference():
    """Though a class is no longer declared: its probability is no feature."""
    subjects = predictions.watched(["old", "a[b]", "late"])
    assert predictions.classes_of([*subjects, "hour"]) == ["old", "a[b]", "late"]
    assert predictions.classes_of(["score", "hour"]) == []


def test_every_feature_and_the_score_is_compared_with_the_model_s_reference(nights):
    features = arrow.read(nights.warehouse, "features", where=pc.field("run_date") == D2)
    references = read_references(nights.warehouse, "1")
    rows = arrow.read(nights.warehouse, "drift", where=pc.field("run_date") == D2).to_pylist()
    stored = {(row["subject"], row["measure"]): row for row in rows if row["window_days"] is row["reference"] is None}
    names = {*nights.project.feature_names(), "score"}
    assert {subject for subject, _ in stored} == {*names, "all columns", "all scores"}
    for name in nights.project.feature_names():
        reference = references.subjects[name]
        counts = count(reference.bins, features[name])
        expected = drift_figures.distances(reference, counts, (0, 0))
        assert {measure: row["value"] for (subject, measure), row in stored.items() if subject == name} == expected
        assert stored[name, "psi"]["counts"] == counts.tolist()
        assert stored[name, "psi"]["importance"] == reference.importance
    assert {(row["evaluated_date"], row["rows"], row["slice"]) for row in stored.values()} == {(D2, 5, "all")}
    assert stored["built", "null_share"]["value"] == 0.2
    assert stored["all columns", "maximum"]["state"] == "unknown"  # a fortnight of nights says nothing of chances


def test_windows_count_the_nights_before_with_the_night(nights):
    rows = arrow.read(nights.warehouse, "drift", where=pc.field("subject") == "load").to_pylist()
    of = {(row["run_date"], row["window_days"], row["measure"]): row for row in rows if row["reference"] is None}
    assert of[D2, 7, "psi"]["rows"] == 10
    assert of[D2, 7, "psi"]["reason"] == "of 7 nights 2 are there"
    assert (D1, 7, "psi") not in of
    both = np.add(of[D1, None, "psi"]["counts"], of[D2, None, "psi"]["counts"])
    reference = read_references(nights.warehouse, "1").subjects["load"]
    assert of[D2, 28, "psi"]["value"] == drift_figures.window_distances(reference, both)["psi"]


def test_references_hold_what_a_night_is_judged_by(nights):
    """The counts of each night and the share of importance; nobody uses `site`'s bins in other rows than its own."""
    rows = arrow.read(nights.warehouse, "references", where=pc.field("model_version") == "1").to_pylist()
    whole = {row["column"]: row for row in rows if row["night"] is None}
    by_night = [row for row in rows if row["column"] == "load" and row["night"] is not None]
    assert np.sum([row["counts"] for row in by_night], axis=0).tolist() == whole["load"]["counts"]
    assert {row["bins"] for row in by_night} == {None}
    assert sum(row["importance"] or 0 for row in whole.values()) == pytest.approx(1)
    assert whole["load"]["importance"] > 0.5  # a machine fails by its load
    assert whole["load"]["special"] == [0, 0, 0]
    assert {row["tested"] for row in whole.values()} == {True, None}


def test_a_night_that_scoring_has_not_counted_is_counted_here_with_the_same_figures(nights, copied):
    """By slice, too, where the reference has them: `site` is a feature."""
    features = arrow.read(copied.warehouse, "features", where=pc.field("run_date") < builders.HISTORY)
    bins = Bins.from_json(read_references(copied.warehouse, "1").subjects["load"].bins.to_json())
    own = count(bins, features.filter(pc.field("site") == "north")["load"])
    row = {"model_version": "1", "column": "load", "slice": "site=north", "counts": own.tolist(), "run_id": "x"}
    arrow.append(copied.warehouse, REFERENCES, [row], "x")
    DeltaTable(copied.warehouse.path("inputs")).delete()
    project = replace(copied.project, monitoring=Monitoring(slices=["site"]))
    drift.measure(no_session, copied.warehouse, project, D2, "again")
    names = ("subject", "slice", "measure", "value", "rows", "run_date", "window_days")
    again, before = (
        {row[:5] for row in rows_of(one.warehouse, "drift", *names) if row[5] == D2 and row[6] is None}
        for one in (copied, nights)
    )
    assert {row for row in again if row[1] == "all"} == before
    of_slice = {measure: value for subject, of, measure, value, rows in again if of == "site=north"}
    night = arrow.read(copied.warehouse, "features", where=(pc.field("run_date") == D2) & (pc.field("site") == "north"))
    expected = drift_figures.window_distances(Reference(bins, own), count(bins, night["load"]))
    assert of_slice == expected


def test_a_reference_of_an_earlier_nightjar_is_read_as_it_is(copied):
    """Without design effects, nights and nulls: rows count as independent, and nobody can say what moved."""
    references = arrow.read(copied.warehouse, "references", ["model_version", "column", "night", "bins", "counts"])
    references = references.filter(pc.field("bins").is_valid())
    write_deltalake(copied.warehouse.path("references"), references, mode="overwrite", schema_mode="overwrite")
    _, signals = drift.measure(no_session, copied.warehouse, copied.project, D2, "again")
    result = read_references(copied.warehouse, "1")
    assert {reference.design_effect for reference in result.subjects.values()} == {1.0}
    assert "again" in {run for (run,) in rows_of(copied.warehouse, "drift", "run_id")}
    states = {(one.kind.value, one.subject): one.state.value for one in signals}
    assert states["covariate", "all columns"] == states["prediction", "all scores"] == "unknown"
    assert states["schema", "all columns"] == "ok"


def test_a_rerun_replaces_its_date_alone_by_the_same_rows(nights, copied):
    drift.measure(no_session, copied.warehouse, copied.project, D1, "again")
    assert rows_of(copied.warehouse, "drift") == rows_of(nights.warehouse, "drift")
    runs = set(rows_of(copied.warehouse, "drift", "run_date", "run_id"))
    assert {run == "again" for day, run in runs if day == D1} == {True}
    assert {run == "again" for day, run in runs if day == D2} == {False}


def test_a_night_without_scores_or_a_model_without_reference_is_refused(copied):
    before = builders.versions(copied.warehouse)
    with pytest.raises(ModelError, match=r"Table scores has no scores of 2024-04-03 to watch. Run: jobs/score.py"):
        drift.measure(no_session, copied.warehouse, copied.project, date(2024, 4, 3), "x")
    assert builders.versions(copied.warehouse) == before
    DeltaTable(copied.warehouse.path("references")).delete()
    with pytest.raises(ModelError, match="Table references has nothing of model version 1"):
        drift.measure(no_session, copied.warehouse, copied.project, D1, "x")
