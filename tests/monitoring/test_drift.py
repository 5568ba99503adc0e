"""Drift from counts: small histograms by hand, and Spark's counts against counting in one piece."""

import math
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
from nightjar.monitoring import drift
from nightjar.monitoring.drift import Reference
from nightjar.tables import arrow, predictions

D1, D2 = date(2024, 4, 1), date(2024, 4, 2)
NUMBERS, LEVELS = Bins("numeric", edges=(0.0, 1.0)), Bins("categorical", levels=("a", "b"))


def test_the_same_shares_have_no_distance():
    """10 rows and 20 rows of the same shares: nothing but the half row of smoothing tells them apart."""
    result = drift.distances(Reference(NUMBERS, np.array([1, 2, 4, 3])), np.array([2, 4, 8, 6]))
    assert set(result) == {"null_share", "psi", "psi_p_value", "ks", "ks_p_value"}
    assert result["null_share"] == 0.1
    assert result["ks"] == pytest.approx(0)
    assert result["psi"] < 0.01
    assert result["psi_p_value"] > 0.9


def test_numbers_are_compared_by_psi_and_the_greatest_gap_of_the_cumulative_shares():
    """Values: 1, 2, 1 of 4 against 1, 0, 3 of 4: the gap is 1/2. Nulls: 0 of 4 against 4 of 8."""
    result = drift.distances(Reference(NUMBERS, np.array([0, 1, 2, 1])), np.array([4, 1, 0, 3]))
    assert result["ks"] == pytest.approx(0.5)
    assert result["null_share"] == 0.5
    expected, actual = np.array([0.5, 1.5, 2.5, 1.5]) / 6, np.array([4.5, 1.5, 0.5, 3.5]) / 10
    assert result["psi"] == pytest.approx(float(((actual - expected) * np.log(actual / expected)).sum()))


def test_levels_are_compared_by_psi_and_pearson_s_test():
    """10 and 10 against 15 and 5: chi squared is 4 * 2.5**2 / 12.5 + ..., as in any table of 2 by 2."""
    result = drift.distances(Reference(LEVELS, np.array([0, 10, 10, 0])), np.array([0, 15, 5, 0]))
    expected = 2 * 2.5**2 / 12.5 + 2 * 2.5**2 / 7.5
    assert result["chi_squared"] == pytest.approx(expected)
    assert result["chi_squared_p_value"] == pytest.approx(math.erfc(math.sqrt(expected / 2)))
    assert "ks" not in result


def test_no_rows_are_no_figure():
    result = drift.distances(Reference(NUMBERS, np.array([1, 2, 3, 4])), np.zeros(4, np.int64))
    assert result == dict.fromkeys(("null_share", "psi", "psi_p_value", "ks", "ks_p_value"))


@pytest.mark.parametrize("partitions", [1, 7])
def test_counts_added_up_over_tasks_are_the_counts_of_the_whole(spark, partitions):
    """Some tasks have no row at all."""
    table = pa.table({"x": [None, -1.0, 0.5, 1.0, 7.0], "s": ["a", "b", "c", None, "a"], "i": [1, 2, 3, 4, 5]})
    bins = {"x": NUMBERS, "s": LEVELS, "i": Bins("numeric", edges=(2.0, 4.0))}
    result = drift._count_columns(spark.createDataFrame(table).repartition(partitions), bins)
    assert {name: column_bins.tolist() for name, column_bins in result.items()} == {
        name: count(column_bins, table[name]).tolist() for name, column_bins in bins.items()
    }


def test_of_several_classes_the_predicted_one_and_each_probability_are_counted(spark):
    """A class that the model does not know has the probability 0; names may hold any character."""
    maps = pa.array([[("a`b", 0.7), ("c.d", 0.3)], [("c.d", 1.0)]], pa.map_(pa.string(), pa.float64()))
    scores = pa.table({"score": [0.7, 1.0], "predicted": ["a`b", "c.d"], "probabilities": maps, "role": ["x", "x"]})
    watched = drift._columns_of_scores(spark.createDataFrame(scores), ["a`b", "c.d"])
    halves, levels = Bins("numeric", edges=(0.5,)), Bins("categorical", levels=("a`b",))
    result = drift._count_columns(
        watched, {"probability[a`b]": halves, "probability[c.d]": halves, "score": halves, "predicted class": levels}
    )
    assert {name: counts.tolist() for name, counts in result.items()} == {
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
    references = {row["column"]: row for row in arrow.read(nights.warehouse, "references").to_pylist()}
    stored = {
        (row["subject"], row["measure"]): row
        for row in arrow.read(nights.warehouse, "drift", where=pc.field("run_date") == D2).to_pylist()
    }
    assert {subject for subject, _ in stored} == {*nights.project.feature_names(), "score"}
    for name in nights.project.feature_names():
        bins, stored_of = Bins.from_json(references[name]["bins"]), references[name]
        reference = Reference(bins, np.array(stored_of["counts"]), stored_of["design_effect"])
        expected = drift.distances(reference, count(bins, features[name]))
        assert {measure: row["value"] for (subject, measure), row in stored.items() if subject == name} == expected
    assert {(row["evaluated_date"], row["rows"], row["slice"]) for row in stored.values()} == {(D2, 5, "all")}
    assert stored["built", "null_share"]["value"] == 0.2


def test_a_reference_without_a_design_effect_is_read_as_one_of_independent_rows(copied, spark):
    """As an earlier version of Nightjar has stored it."""
    references = arrow.read(copied.warehouse, "references").drop_columns(["design_effect"])
    write_deltalake(copied.warehouse.path("references"), references, mode="overwrite", schema_mode="overwrite")
    drift.measure(spark, copied.warehouse, copied.project, D2, "again")
    result = drift._references(copied.warehouse, "1", arrow.version(copied.warehouse, "references"))
    assert {reference.design_effect for reference in result.values()} == {1.0}
    assert "again" in {run for (run,) in rows_of(copied.warehouse, "drift", "run_id")}


def test_a_rerun_replaces_its_date_alone_by_the_same_rows(nights, copied, spark):
    drift.measure(spark, copied.warehouse, copied.project, D1, "again")
    assert rows_of(copied.warehouse, "drift") == rows_of(nights.warehouse, "drift")
    runs = set(rows_of(copied.warehouse, "drift", "run_date", "run_id"))
    assert {run == "again" for day, run in runs if day == D1} == {True}
    assert {run == "again" for day, run in runs if day == D2} == {False}


def test_a_night_without_scores_or_a_model_without_reference_is_refused(copied, spark):
    before = builders.versions(copied.warehouse)
    with pytest.raises(ModelError, match=r"Table scores has no scores of 2024-04-03 to watch. Run: jobs/score.py"):
        drift.measure(spark, copied.warehouse, copied.project, date(2024, 4, 3), "x")
    assert builders.versions(copied.warehouse) == before
    DeltaTable(copied.warehouse.path("references")).delete()
    with pytest.raises(ModelError, match="Table references has nothing of model version 1"):
        drift.measure(spark, copied.warehouse, copied.project, D1, "x")
