"""Every measure of rows on the columns that generated cases have: outcomes 0 and 1, and scores in [0, 1]."""

import numpy as np

from nightjar.evaluation import averages, confusion, gains, multiclass, prediction_intervals, regression, reliability

PARAMETERS = {
    gains.gain: {"share": 0.3},
    gains.lift: {"share": 0.3},
    reliability.expected_calibration_error: {"bins": None},
    regression.pinball: {"quantile": 0.8},
    confusion.f_beta: {"beta": 2.0},
    multiclass.top_label_calibration_error: {"bins": None},
    multiclass.expected_cost: {"costs": [[0, 1, 2], [3, 0, 1], [1, 5, 0]]},
    averages.f_beta: {"beta": 2.0},
    averages.precision: {"average": averages.Average.WEIGHTED},
    averages.roc_auc: {"average": averages.Average.WEIGHTED},
}
OF_DECISIONS = (
    confusion.accuracy,
    confusion.balanced_accuracy,
    confusion.precision,
    confusion.recall,
    confusion.f_beta,
)
OF_CLASSES = (averages.precision, averages.recall, averages.f_beta, multiclass.expected_cost)
OF_PROBABILITIES = (
    averages.roc_auc,
    averages.average_precision,
    multiclass.log_loss,
    multiclass.brier,
    multiclass.top_label_calibration_error,
    multiclass.unseen_share,
)


def arguments(measure, label, score):
    """What the measure takes for labels and scores: decisions, bounds, labels that are never 0, three classes."""
    label, score = np.asarray(label, float), np.asarray(score, float)
    if measure in OF_CLASSES:
        return label * (1 + (score > 0.3)), (score > 0.3) + 1.0 * (score > 0.6)
    if measure in OF_PROBABILITIES:
        return label * (1 + (score > 0.3)), np.column_stack([1 - score, 0.7 * score, 0.3 * score])
    if measure in OF_DECISIONS:
        return label, score >= 0.5
    if measure in (prediction_intervals.interval_coverage, prediction_intervals.interval_width):
        return label, np.column_stack([score / 2, score])
    return (label + 1 if measure is regression.mape else label), score


def call(measure, label, score, weight=None):
    return measure(*arguments(measure, label, score), weight, **PARAMETERS.get(measure, {}))
