"""What an interval of each measure needs: the influence of each row, and the scale on which bounds are symmetric."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nightjar.evaluation import (
    averages,
    binary,
    confusion,
    gains,
    influence,
    multiclass,
    prediction_intervals,
    ranking,
    recalibration,
    regression,
    reliability,
)
from nightjar.evaluation.influence import Influence, of_mean, of_ratio
from nightjar.evaluation.intervals import Scale
from nightjar.evaluation.rows import Floats, Measure


@dataclass(frozen=True)
class Inference:
    """How an interval of a measure of rows is made.

    Attributes:
        influence: of labels, scores (or decisions, or bounds) and row weights above 0, on which the measure is defined,
            and of the parameters of the measure itself.
        scale: that on which bounds are symmetric.
        most: the greatest value there is, where the scale has no end there, by the measure's parameters: no upper bound
            is above it.
    """

    influence: Callable[..., Influence]
    scale: Scale
    most: Callable[..., float] = lambda **_: np.inf


def _of_losses(loss: Callable[..., Floats]) -> Callable[..., Influence]:
    """The influence on the mean of one loss a row."""

    def influence_of(label: Floats, score: Floats, weights: Floats, **parameters: Any) -> Influence:
        return of_mean(loss(label, score, **parameters), weights)

    return influence_of


def _of_terms(terms: Callable[..., tuple[Floats, Floats]]) -> Callable[..., Influence]:
    """The influence on the ratio of two sums over rows."""

    def influence_of(label: Floats, decision: Floats, weights: Floats, **parameters: Any) -> Influence:
        return of_ratio(*terms(label, decision, **parameters), weights)

    return influence_of


OF_ROWS: Mapping[Measure, Inference] = {
    binary.roc_auc: Inference(influence.of_roc_auc, Scale.LOGIT),
    binary.gini: Inference(influence.of_gini, Scale.CORRELATION),
    binary.ks: Inference(influence.of_ks, Scale.LOGIT),
    binary.average_precision: Inference(influence.of_average_precision, Scale.LOGIT),
    binary.log_loss: Inference(_of_losses(lambda y, score: binary.log_losses(y == 1, score)), Scale.LOG),
    binary.brier: Inference(_of_losses(lambda y, score: (y - score) ** 2), Scale.LOGIT),
    confusion.accuracy: Inference(_of_terms(confusion.accuracy_terms), Scale.LOGIT),
    confusion.balanced_accuracy: Inference(influence.of_balanced_accuracy, Scale.LOGIT),
    confusion.precision: Inference(_of_terms(confusion.precision_terms), Scale.LOGIT),
    confusion.recall: Inference(_of_terms(confusion.recall_terms), Scale.LOGIT),
    confusion.f_beta: Inference(_of_terms(confusion.f_beta_terms), Scale.LOGIT),
    reliability.expected_calibration_error: Inference(reliability.of_calibration_error, Scale.LOGIT),
    reliability.reliability: Inference(reliability.of_reliability, Scale.LOGIT),
    reliability.resolution: Inference(reliability.of_resolution, Scale.LOG, lambda **_: 0.25),
    reliability.uncertainty: Inference(reliability.of_uncertainty, Scale.LOG, lambda **_: 0.25),
    recalibration.calibration_intercept: Inference(recalibration.of_intercept, Scale.PLAIN),
    recalibration.calibration_slope: Inference(recalibration.of_slope, Scale.PLAIN),
    gains.gain: Inference(gains.of_gain, Scale.LOGIT),
    gains.lift: Inference(gains.of_lift, Scale.LOG, lambda share: 1 / share),
    regression.rmse: Inference(influence.of_rmse, Scale.LOG),
    regression.mae: Inference(_of_losses(lambda y, score: np.abs(y - score)), Scale.LOG),
    regression.r2: Inference(influence.of_r2, Scale.PLAIN, lambda **_: 1.0),
    regression.mape: Inference(_of_losses(regression.absolute_percentages), Scale.LOG),
    regression.smape: Inference(_of_losses(regression.symmetric_percentages), Scale.LOG, lambda **_: 2.0),
    regression.pinball: Inference(_of_losses(regression.pinball_losses), Scale.LOG),
    prediction_intervals.interval_coverage: Inference(_of_losses(prediction_intervals.is_covered), Scale.LOGIT),
    prediction_intervals.interval_width: Inference(_of_losses(prediction_intervals.widths), Scale.LOG),
    multiclass.log_loss: Inference(multiclass.of_losses, Scale.LOG),
    multiclass.brier: Inference(multiclass.of_brier, Scale.LOG, lambda **_: 2.0),
    multiclass.top_label_calibration_error: Inference(multiclass.of_top_label, Scale.LOGIT),
    multiclass.unseen_share: Inference(multiclass.of_unseen, Scale.LOGIT),
    multiclass.expected_cost: Inference(multiclass.of_cost, Scale.LOG, lambda costs: float(np.max(costs))),
    averages.roc_auc: Inference(averages.of_roc_auc, Scale.LOGIT),
    averages.average_precision: Inference(averages.of_average_precision, Scale.LOGIT),
    averages.precision: Inference(averages.of_terms(confusion.precision_terms), Scale.LOGIT),
    averages.recall: Inference(averages.of_terms(confusion.recall_terms), Scale.LOGIT),
    averages.f_beta: Inference(averages.of_terms(confusion.f_beta_terms), Scale.LOGIT),
}
"""The measures of rows."""

OF_LISTS: Mapping[Measure, Callable[..., Floats]] = {
    ranking.mean_ndcg: ranking.ndcg_of_lists,
    ranking.precision_at: ranking.precision_of_lists,
    ranking.recall_at: ranking.recall_of_lists,
    ranking.mean_average_precision: ranking.average_precision_of_lists,
    ranking.mean_reciprocal_rank: ranking.reciprocal_rank_of_lists,
}
"""The measures of lists, which are means of one value a list that lies in [0, 1]."""
