"""Every measure of rows on the columns that generated cases have: outcomes 0 and 1, and scores in [0, 1]."""

import numpy as np

from nightjar.evaluation import confusion, gains, prediction_intervals, regression, reliability

PARAMETERS = {
    gains.gain: {"share": 0.3},
    gains.lift: {"share": 0.3},
    reliability.expected_calibration_error: {"bins": None},
    regression.pinball: {"quantile": 0.8},
    confusion.f_beta: {"beta": 2.0},
}
OF_DECISIONS = (
    confusion.accuracy,
    confusion.balanced_accuracy,
    confusion.precision,
    confusion.recall,
    confusion.f_beta,
)


def arguments(measure, label, score):
    """What the measure takes for labels and scores: decisions, bounds, or labels that are never 0."""
    label, score = np.asarray(label, float), np.asarray(score, float)
    if measure in OF_DECISIONS:
        return label, score >= 0.5
    if measure in (prediction_intervals.interval_coverage, prediction_intervals.interval_width):
        return label, np.column_stack([score / 2, score])
    return (label + 1 if measure is regression.mape else label), score


def call(measure, label, score, weight=None):
    return measure(*arguments(measure, label, score), weight, **PARAMETERS.get(measure, {}))
