"""Whether a night, or the windows of several nights that end with it, differ more than those of the reference.

Of the false alarms that a night may raise the windows spend a third, in equal parts: none is then more often far off by
chance than one of 20 nights, whichever is looked at. Windows that are not judged leave their part to the others.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from nightjar.evaluation.divergences import OF_SHARES
from nightjar.evaluation.histograms import Counts
from nightjar.evaluation.judgements import (
    WATCH,
    ColumnJudgement,
    NightJudgement,
    WindowJudgement,
    state_of,
)
from nightjar.evaluation.null_groups import stack_counts
from nightjar.evaluation.nulls import Null
from nightjar.evaluation.tails import Tail
from nightjar.evaluation.window_yardsticks import WindowYardstick, fit_window

SHARE = 1 / 3
"""Of the false alarms that a night may raise, what its windows spend."""
By = Mapping[str, Counts]


@dataclass(frozen=True, eq=False)
class _Window:
    """How many deviations each column is beyond what windows of so many days make expected."""

    days: int
    tail: Tail
    studentised: Mapping[str, float]


def judge(
    null: Null,
    night: date,
    lag_days: int,
    counts: By,
    reference: By,
    history: Mapping[str, Sequence[float]],
    before: Mapping[str, Mapping[date, Counts]],
    windows: Collection[int],
    *,
    share: float = 1.0,
) -> NightJudgement:
    """Judge a night and the windows that end with it.

    Args:
        null: of the reference.
        night: its date.
        lag_days: days from the last night of the reference to it.
        counts: of each column tonight, in the bins of the reference.
        reference: counts of the whole reference.
        history: see `Null.judge`.
        before: counts of each column on nights before, of the same reference. A column is judged over a window if as
            many of its nights are there as windows of the reference have.
        windows: days of each. Those of which the reference has too few are not judged.
        share: of the false alarms that are allowed, what these columns may spend.

    Raises:
        LearningError: counts of other bins.
    """
    both = [name for name in null.counts if name in counts and name in reference]
    names = tuple(name for name in both if counts[name].sum() and reference[name].sum())
    judged = list(_windows(null, night, lag_days, names, counts, reference, before, windows))
    alone = share * (1 - SHARE) if judged else share
    result = null.judge(night, lag_days, counts, reference, history, share=alone)
    if not judged or result.watch is None:
        return result
    columns = {name: _joined(name, one, judged, result.watch, share) for name, one in result.columns.items()}
    p = min(one.p for one in columns.values() if one.p is not None)
    maximum = max(one.greatest for one in columns.values() if one.greatest is not None)
    return replace(
        result, columns=columns, maximum=maximum, p=p, p_of_30_nights=1 - (1 - p) ** 30, state=state_of(p, share)
    )


def _windows(
    null: Null,
    night: date,
    lag_days: int,
    names: tuple[str, ...],
    counts: By,
    reference: By,
    before: Mapping[str, Mapping[date, Counts]],
    windows: Collection[int],
) -> Iterator[_Window]:
    rows = min((int(counts[name].sum()) for name in names), default=0)
    expected = _stacked(null, {name: reference[name] for name in names})
    for days in windows:
        usual = _usual(null, days, lag_days, rows, names)
        if usual is None:
            continue
        first = night - timedelta(days)
        nights = {
            name: [one for day, one in before.get(name, {}).items() if first < day < night and len(one) == len(own)]
            for name, own in ((name, counts[name]) for name in names)
        }
        together = _stacked(null, {name: np.sum([counts[name], *own], axis=0) for name, own in nights.items()})
        values = usual.studentise(expected, together, OF_SHARES[null.measure])
        by_name = dict(zip(names, map(float, values), strict=True))
        whole = {name: one for name, one in by_name.items() if len(nights[name]) + 1 == usual.nights}
        if whole:
            yield _Window(days, usual.tail, whole)


def _usual(null: Null, days: int, lag_days: int, rows: int, names: tuple[str, ...]) -> WindowYardstick | None:
    compared = null.comparison(lag_days, rows, names)
    if compared is None:
        return None
    key = (days, *compared, names)
    if key not in null.windows:
        stack = stack_counts([null.counts[name] for name in names])
        null.windows[key] = fit_window(null.dates, stack, *compared, OF_SHARES[null.measure], days)
    return null.windows[key]


def _stacked(null: Null, counts: By) -> Counts:
    """(columns, groups)."""
    if not counts:
        return np.zeros((0, 0), np.int64)
    return stack_counts([null.merge(name, one)[None] for name, one in counts.items()])[:, 0]


def _joined(
    name: str, alone: ColumnJudgement, windows: Sequence[_Window], watch: float, share: float
) -> ColumnJudgement:
    """What night and windows say together of a column."""
    if alone.p is None or alone.greatest is None:
        return alone
    part, judged, chances = SHARE / len(windows), dict[int, WindowJudgement](), [alone.p / (1 - SHARE)]
    farthest = [(alone.greatest, alone.span, alone.aspect)]
    for one in windows:
        if name in one.studentised:
            value, limit = one.studentised[name], one.tail.reach(WATCH * share * part)
            judged[one.days] = WindowJudgement(value, limit)
            chances.append(one.tail.p(value) / part)
            farthest.append((value * watch / limit, one.days, "values"))
    greatest, span, aspect = max(farthest, key=lambda each: each[0])
    p = min(1.0, *chances)
    return replace(alone, greatest=greatest, span=span, aspect=aspect, p=p, state=state_of(p, share), windows=judged)
