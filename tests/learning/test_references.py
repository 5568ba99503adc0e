"""References of drift: what a column is like, and how much rows of one night are alike."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from learning import problems
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.histograms import Bins, count
from nightjar.learning import references
from nightjar.models.columns import FeatureColumn
from nightjar.monitoring import drift


def test_of_several_classes_the_predicted_one_and_each_probability_have_a_reference():
    """Costs decide what is predicted: to miss b costs most."""
    rows = problems.rows()
    standard = Standard(("a", "b", "c"), ((0, 1, 1), (9, 0, 9), (1, 1, 0)))
    scores = np.tile([[0.6, 0.3, 0.1], [0.9, 0.05, 0.05]], (20, 1))
    result = references.histograms(rows, np.arange(800), np.arange(760, 800), scores, standard)
    stored = {one["column"]: one for one in result}
    names = ["score", "predicted class", "probability[a]", "probability[b]", "probability[c]"]
    assert list(stored)[-5:] == names
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
    effects = {name: one["design_effect"] for name, one in stored.items()}
    assert effects["weekday"] == pytest.approx(40, rel=0.1)
    assert effects["score"] == pytest.approx(40, rel=0.1)
    assert max(effects["x"], effects["noise"]) < 1.5

    def marked(name, values):
        bins = Bins.from_json(stored[name]["bins"])
        reference = drift.Reference(bins, np.array(stored[name]["counts"]), effects[name])
        distances = drift.distances(reference, count(bins, pa.array(values)))
        assert distances["psi"] > 0.2
        return distances["psi_p_value"] <= 0.01

    assert [marked("weekday", [float(day)] * 40) for day in range(7)] == [False] * 7
    assert marked("x", features["x"].to_numpy()[:40] + 2)
