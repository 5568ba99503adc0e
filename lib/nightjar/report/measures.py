"""Which measures of performance the page shows for a task, and how they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nightjar.settings.label import Label
from nightjar.settings.task import Task

_NONE_KNOWN = "undefined: no outcome of this date is known"
_ALL_THE_SAME = f"{_NONE_KNOWN}, or all are the same"
_ONLY_TRUE = "undefined: of this date no horizon has passed, and until then only outcomes that are true can be known"


@dataclass(frozen=True)
class Shown:
    """One measure of the judged dates.

    Attributes:
        name: in the table `performance`.
        undefined: why a date may have none.
        is_share: read as a percentage.
    """

    name: str
    undefined: str = _NONE_KNOWN
    is_share: bool = False


@dataclass(frozen=True)
class Reading:
    """What is shown of a task's performance.

    Attributes:
        first: the measure that is told first, and drawn.
        takes: what a date needs to have it.
        in_unit_of_label: whether it is.
        beside: the measures that stand beside it.
    """

    first: Shown
    takes: str
    in_unit_of_label: bool
    beside: tuple[Shown, ...]


_READINGS: Mapping[Task, Reading] = {
    Task.CLASSIFICATION: Reading(
        Shown("roc_auc", _ALL_THE_SAME),
        "both outcomes among the labels that are known",
        in_unit_of_label=False,
        beside=(
            Shown("average_precision", "undefined: no outcome of this date is known to be true"),
            Shown("log_loss"),
            Shown("brier"),
            Shown("expected_calibration_error"),
            Shown("positive_rate", is_share=True),
            Shown("mean_score", is_share=True),
        ),
    ),
    Task.REGRESSION: Reading(
        Shown("rmse"),
        "labels that are known",
        in_unit_of_label=True,
        beside=(Shown("mae"), Shown("r2", _ALL_THE_SAME), Shown("mean_label"), Shown("mean_score")),
    ),
    Task.RANKING: Reading(
        Shown("ndcg", "undefined: no list of this date has two known outcomes, one of them above 0"),
        "a list with two labels that are known, one of them above 0",
        in_unit_of_label=False,
        beside=(Shown("mean_label"), Shown("mean_score")),
    ),
}
"""Task -> what is shown of it."""


def reading(label: Label) -> Reading:
    """What is shown of a label's performance; where it may be settled early, why a date of late has no figures."""
    of_task = _READINGS[label.task]
    if not label.settled_early:
        return of_task
    early = [replace(shown, undefined=f"{_ONLY_TRUE}; or {shown.undefined}") for shown in of_task.beside]
    first = replace(of_task.first, undefined=f"{_ONLY_TRUE}; or {of_task.first.undefined}")
    takes = f"{of_task.takes}, of rows whose horizon has passed (before that only true ones can be known)"
    return replace(of_task, first=first, takes=takes, beside=tuple(early))
