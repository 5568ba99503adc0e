"""What was predicted and what came of it in each tier of a night."""

import numpy as np
import pytest

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.metric_report import Truth
from nightjar.monitoring.figures import tier_figures
from nightjar.settings.task import Task

SCORE = np.array([0.9, 0.8, 0.6, 0.6, 0.5, 0.2])
LATE = np.array([True, False, True, True, False, True])


TIERS = np.array(["call", "call", "mail", "mail", "mail", None])


def figures(weight=None, tiers=TIERS):
    truth = Truth(Task.CLASSIFICATION, LATE, Clusters(np.arange(6), np.zeros(6, int)), weight=weight)
    return {(one.of, one.measure): one.interval for one in tier_figures(truth, SCORE, tiers)}


def test_each_tier_has_what_was_predicted_what_came_and_the_gap():
    result = figures()
    assert {of for of, _ in result} == {"tier call", "tier mail"}
    assert [result["tier call", one].estimate for one in ("mean_score", "positive_rate")] == pytest.approx([0.85, 0.5])
    gap = result["tier mail", "calibration_gap"]
    assert (gap.estimate, gap.rows) == (pytest.approx(2 / 3 - (0.6 + 0.6 + 0.5) / 3), 3)
    assert gap.low < gap.estimate < gap.high
    assert figures(tiers=np.full(6, None)) == {}


def test_rows_count_by_their_weight():
    result = figures(weight=np.array([3.0, 1, 1, 0, 1, 1]))
    assert result["tier call", "mean_score"].estimate == pytest.approx(0.875)
    assert result["tier call", "calibration_gap"].estimate == pytest.approx(0.75 - 0.875)
    assert result["tier mail", "positive_rate"].rows == 2


def test_without_weight_a_tier_has_no_figure():
    assert {of for of, _ in figures(weight=np.array([0.0, 0, 1, 1, 1, 1]))} == {"tier mail"}
