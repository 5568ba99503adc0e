"""References of drift: what a column is like, and how much rows of one night are alike."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from learning import problems
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.histograms import Bins, count
from nightjar.evaluation.joint_reference import JointReference
from nightjar.evaluation.nulls import Null
from nightjar.learning import reference_rows, references
from nightjar.learning.reference_anchors import read_anchors
from nightjar.models.columns import FeatureColumn
from nightjar.monitoring import drift_figures
from nightjar.monitoring.drift_references import Reference
from nightjar.tables import arrow


def test_of_several_classes_the_predicted_one_and_each_probability_have_a_reference():
    """Costs decide what is predicted: to miss b costs most."""
    rows = problems.rows()
    standard = Standard(("a", "b", "c"), ((0, 1, 1), (9, 0, 9), (1, 1, 0)))
    scores = np.tile([[0.6, 0.3, 0.1], [0.9, 0.05, 0.05]], (20, 1))
    result = references.histograms(rows, np.arange(800), np.arange(760, 800), scores, standard)
    stored = {one["column"]: one for one in result}
    names = ["score", "predicted class", "probability[a]", "probability[b]", "probability[c]"]
    assert list(stored)[-6:] == [*names, "all columns"]
    assert Bins.from_json(stored["predicted class"]["bins"]).levels == ("a", "b")
    assert stored["predicted class"]["counts"] == [0, 20, 20, 0]
    assert Bins.from_json(stored["score"]["bins"]).edges[:2] == (0.3, 0.9)


def test_a_calendar_column_is_not_marked_every_night():
    """Forty rows of a night have one weekday, so a night is worth one row of it; numbers that are not alike stay many.

    Any weekday is then no change, though its index is great; a shift of what is not alike is one.
    """
    rows = problems.rows()
    weekday = (rows.day.astype(np.int64) % 7).astype(np.float64)
    features, columns = rows.features.append_column("weekday", pa.array(weekday)), rows.columns
    rows = replace(rows, features=features, columns=(*columns, FeatureColumn("weekday", "number")))
    every, last = np.arange(800), np.arange(240, 800)
    stored = {one["column"]: one for one in references.histograms(rows, every, last, weekday[last] / 7)}
    effects = {name: one["design_effect"] for name, one in stored.items() if "design_effect" in one}
    assert effects["weekday"] == pytest.approx(40, rel=0.1)
    assert effects["score"] == pytest.approx(40, rel=0.1)
    assert max(effects["x"], effects["noise"]) < 1.5

    def marked(name, values):
        bins = Bins.from_json(stored[name]["bins"])
        reference = Reference(bins, np.array(stored[name]["counts"]), effects[name])
        distances = drift_figures.distances(reference, count(bins, pa.array(values)))
        assert distances["psi"] > 0.2
        return distances["psi_p_value"] <= 0.01

    assert [marked("weekday", [float(day)] * 40) for day in range(7)] == [False] * 7
    assert marked("x", features["x"].to_numpy()[:40] + 2)


def watched(rows, **options):
    """References of all rows, the last two days being the final period; by column whole, and by column and slice."""
    final = np.arange(720, 800)
    every = references.histograms(
        rows, np.arange(800), final, np.linspace(0, 1, 80), watching=references.Watching(**options)
    )
    whole = {one["column"]: one for one in every if one["slice"] is None}
    return whole, {(one["column"], one["slice"]): one["counts"] for one in every if one["slice"] is not None}


def test_nights_and_slices_are_counted_in_the_bins_of_the_whole():
    """Scores of all rows that some fit has not seen have nights; of texts with more levels than bins also lengths."""
    rows = problems.rows()
    names = pa.array([f"{'x' * (1 + number % 3)}{number % 130}" for number in range(800)])
    features = rows.features.append_column("name", names)
    site = pa.table({"site": np.where(np.arange(800) % 4 == 0, "north", "south")})
    columns = (*rows.columns, FeatureColumn("name", "category"))
    rows = replace(rows, features=features, columns=columns, slices=site)
    scores = np.where(np.arange(800) < 400, np.nan, 0.5)
    whole, slices = watched(rows, slices=["site"], scores=scores, untested=["x"], importance={"x": 0.75})
    for name in ("x", "noise", "name", "length(name)"):
        dates, counts = whole[name]["nights"]
        assert dates.tolist() == np.unique(rows.day).tolist()
        assert counts.sum(axis=0).tolist() == whole[name]["counts"]
        bins = Bins.from_json(whole[name]["bins"])
        values = rows.features["name" if "name" in name else name]
        night = values.slice(40, 40)
        expected = count(bins, pc.utf8_length(night) if name.startswith("length") else night)
        assert counts[1].tolist() == expected.tolist()
    assert [len(whole["score"]["nights"][0]), whole["score"]["nights"][1].sum()] == [10, 400]
    bins = Bins.from_json(whole["x"]["bins"])
    assert slices["x", "site=north"] == count(bins, rows.features["x"].take(np.arange(0, 800, 4))).tolist()
    assert {of for _, of in slices} == {"site=north", "site=south"}
    assert [(whole[name]["tested"], whole[name]["importance"]) for name in ("x", "noise")] == [
        (False, 0.75),
        (True, None),
    ]
    null = Null.from_json(whole["all columns"]["null_distribution"])
    assert set(null.counts) == {"noise", "name", "length(name)"}
    assert "all scores" not in whole  # ten nights are too few


def test_how_columns_go_together_is_kept_where_it_is_watched_and_nights_are_enough():
    rows = problems.rows()
    assert "columns together" not in watched(rows, together=["noise"])[0]  # twenty nights
    rows = replace(rows, day=np.repeat(np.datetime64("2024-01-01") + np.arange(80), 10))
    assert "columns together" not in watched(rows)[0]
    whole, _ = watched(rows, together=["noise", "x"], gap_days=7)
    stored = JointReference.from_json(whole["columns together"]["null_distribution"])
    assert stored.levels == {"noise": None, "x": None}
    assert len(stored.sample) == 800


def test_a_version_goes_on_with_the_bins_of_the_one_before_while_they_fit(warehouse):
    rows = problems.rows()
    first, _ = watched(rows)
    reference_rows.store(warehouse, list(first.values()), "1", "r1")
    moved = rows.features.set_column(0, "x", pa.array(rows.features["x"].to_numpy() * 0.9))
    moved = moved.set_column(1, "noise", pa.array(rows.features["noise"].to_numpy() + 3))
    again, _ = watched(replace(rows, features=moved), anchors=read_anchors(warehouse))
    assert again["x"]["bins"] == first["x"]["bins"]
    assert (again["x"]["anchor_version"], again["x"]["anchor_counts"]) == ("1", first["x"]["counts"])
    assert again["noise"]["bins"] != first["noise"]["bins"]
    assert "anchor_version" not in again["noise"]
    reference_rows.store(warehouse, list(again.values()), "2", "r2")
    anchors = read_anchors(warehouse)
    assert (anchors["x"].version, anchors["noise"].version) == ("1", "2")
    stored = arrow.read(warehouse, "references", where=pc.field("model_version") == "2").to_pylist()
    nights = [row["counts"] for row in stored if row["column"] == "x" and row["night"] is not None]
    assert np.sum(nights, axis=0).tolist() == again["x"]["counts"]
    assert {row["run_id"] for row in stored} == {"r2"}
