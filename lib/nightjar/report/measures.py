"""The measures of performance that the page shows for each task, and how to read them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nightjar.settings.label import Label
from nightjar.settings.task import Task

_NO_OUTCOME = "undefined: no outcome of this date is known"
_ALL_THE_SAME = f"{_NO_OUTCOME}, or all are the same"
_ONLY_TRUE = "undefined: of this date no horizon has passed, and until then only outcomes that are true can be known"


@dataclass(frozen=True)
class ShownMeasure:
    """One measure of the judged dates.

    Attributes:
        name: as in the table `performance`.
        undefined: why a date may lack it, in words.
        is_share: whether it is shown as a percentage.
    """

    name: str
    undefined: str = _NO_OUTCOME
    is_share: bool = False


@dataclass(frozen=True)
class ShownMeasures:
    """The measures shown for a task.

    Attributes:
        first: the main measure, which is also drawn.
        takes: what a date needs to have the main measure, in words.
        in_unit_of_label: whether the main measure has the unit of the label.
        beside: the other measures.
    """

    first: ShownMeasure
    takes: str
    in_unit_of_label: bool
    beside: tuple[ShownMeasure, ...]


_MEASURES: Mapping[Task, ShownMeasures] = {
    Task.CLASSIFICATION: ShownMeasures(
        ShownMeasure("roc_auc", _ALL_THE_SAME),
        "both outcomes among the labels that are known",
        in_unit_of_label=False,
        beside=(
            ShownMeasure("average_precision", "undefined: no outcome of this date is known to be true"),
            ShownMeasure("log_loss"),
            ShownMeasure("brier"),
            ShownMeasure("gini", _ALL_THE_SAME),
            ShownMeasure("ks", _ALL_THE_SAME),
            ShownMeasure("expected_calibration_error"),
            ShownMeasure("positive_rate", is_share=True),
            ShownMeasure("mean_score", is_share=True),
        ),
    ),
    Task.MULTICLASS: ShownMeasures(
        ShownMeasure("roc_auc", _ALL_THE_SAME),
        "two classes among the labels that are known",
        in_unit_of_label=False,
        beside=(
            ShownMeasure("log_loss", f"{_NO_OUTCOME}, or some are of a class that the model has not seen"),
            ShownMeasure("brier"),
            ShownMeasure("accuracy", is_share=True),
            ShownMeasure("balanced_accuracy", _ALL_THE_SAME, is_share=True),
            ShownMeasure("expected_cost"),
            ShownMeasure("top_label_calibration_error"),
            ShownMeasure("unseen_share", is_share=True),
        ),
    ),
    Task.REGRESSION: ShownMeasures(
        ShownMeasure("rmse"),
        "labels that are known",
        in_unit_of_label=True,
        beside=(
            ShownMeasure("mae"),
            ShownMeasure("r2", _ALL_THE_SAME),
            ShownMeasure("mape", f"{_NO_OUTCOME}, or one is 0", is_share=True),
            ShownMeasure("smape"),
            ShownMeasure("pinball"),
            ShownMeasure("mean_label"),
            ShownMeasure("mean_score"),
        ),
    ),
    Task.RANKING: ShownMeasures(
        ShownMeasure("ndcg", "undefined: no list of this date has two known outcomes, one of them above 0"),
        "a list with two labels that are known, one of them above 0",
        in_unit_of_label=False,
        beside=(
            *(ShownMeasure(name) for name in ("precision_at_k", "recall_at_k")),
            *(ShownMeasure(name) for name in ("mean_average_precision", "mean_reciprocal_rank")),
            *(ShownMeasure(name) for name in ("mean_label", "mean_score")),
        ),
    ),
}
"""Task -> the measures shown for it."""


def shown_measures(label: Label) -> ShownMeasures:
    """The measures shown for a label; if it may be settled early, with the reason why recent dates lack figures."""
    of_task = _MEASURES[label.task]
    if not label.settled_early:
        return of_task
    measures = [replace(beside, undefined=f"{_ONLY_TRUE}; or {beside.undefined}") for beside in of_task.beside]
    first = replace(of_task.first, undefined=f"{_ONLY_TRUE}; or {of_task.first.undefined}")
    takes = f"{of_task.takes}, of rows whose horizon has passed (before that only true ones can be known)"
    return replace(of_task, first=first, takes=takes, beside=tuple(measures))
