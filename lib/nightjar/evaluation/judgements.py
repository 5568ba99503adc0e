"""What is said of a night: how far each column is from its reference, how rare that is, and how bad."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from nightjar.evaluation.rows import Floats
from nightjar.evaluation.yardsticks import SPANS, span_means

WATCH, ACT = 0.05, 0.005
"""Of nights without a change, how many may be so far by chance in any column."""

State = Literal["ok", "watch", "act", "unknown"]
Aspect = Literal["values", "nulls", "new"]


@dataclass(frozen=True)
class WindowJudgement:
    """How far a column is over the nights of a window that ends tonight.

    Attributes:
        studentised: how many deviations beyond what windows of the reference make expected.
        watch: what it has to reach to be watched.
    """

    studentised: float
    watch: float


@dataclass(frozen=True)
class ColumnJudgement:
    """How far a column is tonight.

    Attributes:
        distance: from the reference, between groups of bins; None: there are no rows.
        studentised: how many deviations beyond what its weekday makes expected; None: likewise, or the null has too few
            nights. It is the history of later nights.
        greatest: the greatest of it, of its mean over the last nights and of the other aspects, each in its deviations;
            and of windows, in such as are watched from as many on.
        span: over how many nights that one is.
        aspect: what of the column that one is about, see `yardsticks`.
        p: the chance that any column is so far on a night without a change.
        state: by that chance.
        windows: days -> what they say, of those that are judged.
    """

    distance: float | None
    studentised: float | None = None
    greatest: float | None = None
    span: int | None = None
    p: float | None = None
    state: State = "unknown"
    aspect: Aspect = "values"
    windows: Mapping[int, WindowJudgement] = field(default_factory=dict)


@dataclass(frozen=True)
class NightJudgement:
    """How far all columns are tonight.

    Attributes:
        columns: each column of the null that has counts tonight.
        maximum: the greatest of all columns; None: nothing can be said.
        p: the chance that a night without a change is so far in any column.
        p_of_30_nights: the chance that one of 30 such nights is, at most.
        state: by `p`.
        watch, act: what the greatest of a column has to reach for these states.
        nights: how many the null has at this distance in time.
        lag_days: the days that they lie after what they are compared with: no fewer than the longest window, and fewer
            than tonight's where the reference is too short for more.
    """

    columns: Mapping[str, ColumnJudgement]
    maximum: float | None = None
    p: float | None = None
    p_of_30_nights: float | None = None
    state: State = "unknown"
    watch: float | None = None
    act: float | None = None
    nights: int = 0
    lag_days: int = 0


def state_of(p: float, share: float) -> State:
    """The state that a chance stands for, where `share` of all false alarms may be spent."""
    if p <= ACT * share:
        return "act"
    return "watch" if p <= WATCH * share else "ok"


def greatest_of(own: Floats, history: Sequence[float], span_scales: Floats) -> tuple[float, int, Aspect]:
    """The greatest of tonight's aspects and of the means of values that end tonight, its span and its aspect.

    Args:
        own: tonight's studentised distances, (aspects,).
        history: those of values on the nights before.
        span_scales: (spans,).
    """
    values: list[tuple[float, int, Aspect]] = [(float(own[0]), 1, "values")]
    values += [(float(own[1]), 1, "nulls"), (float(own[2]), 1, "new")]
    series = np.append(np.asarray(history, np.float64)[-SPANS[-1] + 1 :], own[0])
    for span, scale in zip(SPANS[1:], span_scales[1:], strict=True):
        if len(series) >= span and np.isfinite(series[-span:]).all():
            values.append((float(span_means(series[-span:], span)[0] / scale), span, "values"))
    return max(values)
