"""A threshold is fitted to rows that the model has not seen, and priced on others."""

from dataclasses import replace

import numpy as np
import pytest

from learning import problems
from nightjar.evaluation.clusters import Clusters
from nightjar.learning.thresholds import fit_threshold
from nightjar.settings.costs import Costs

ROWS = problems.rows()
FOLDS, FINAL = np.arange(400, 600), np.arange(600, 800)
SCORES = np.where(ROWS.label, 0.6, 0.4)
HELD_OUT = np.full(800, np.nan)
HELD_OUT[FOLDS] = SCORES[FOLDS]
CLUSTERS = Clusters(FINAL, ROWS.day[FINAL].astype(np.intp))


def test_it_is_the_cheapest_on_the_folds_and_its_cost_that_of_the_final_period():
    """On the folds 0.6 parts the labels; in the final period true rows score 0.5, and are missed."""
    threshold = fit_threshold(ROWS, HELD_OUT, FINAL, SCORES[FINAL] - 0.1, Costs(missed=5, false_alarm=2), CLUSTERS)
    rate = ROWS.label[FINAL].mean()
    assert threshold.value == 0.6
    assert threshold.cost.estimate == pytest.approx(5 * rate)
    assert threshold.cost.low < threshold.cost.estimate < threshold.cost.high
    assert (threshold.cost_of_none, threshold.cost_of_all) == (pytest.approx(5 * rate), pytest.approx(2 * (1 - rate)))
    assert str(threshold).startswith("acting from the threshold 0.6 on costs ")


def test_labels_of_the_final_period_do_not_move_it():
    label = ROWS.label.copy()
    label[FINAL] = ~label[FINAL]
    other = replace(ROWS, label=label)
    thresholds = [
        fit_threshold(rows, HELD_OUT, FINAL, SCORES[FINAL], Costs(missed=5, false_alarm=2), CLUSTERS).value
        for rows in (ROWS, other)
    ]
    assert thresholds[0] == thresholds[1]


def test_rows_count_for_as_many_as_they_stand_for():
    """True rows stand for three each: the same as if each of them were there three times."""
    costs = Costs(missed=5, false_alarm=2)
    weighted = replace(ROWS, weight=np.where(ROWS.label, 3.0, 1.0))
    threshold = fit_threshold(weighted, HELD_OUT, FINAL, SCORES[FINAL] - 0.1, costs, CLUSTERS)
    true, false = 3 * ROWS.label[FINAL].sum(), (~ROWS.label[FINAL]).sum()
    assert threshold.cost_of_none == pytest.approx(5 * true / (true + false))
    assert threshold.cost_of_all == pytest.approx(2 * false / (true + false))
    assert threshold.cost.estimate == pytest.approx(threshold.cost_of_none)


def test_without_costs_there_is_none():
    assert fit_threshold(ROWS, HELD_OUT, FINAL, SCORES[FINAL], Costs(), CLUSTERS) is None
