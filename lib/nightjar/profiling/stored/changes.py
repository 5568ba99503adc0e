"""What stands out in the stored facts of a source: which column, when, and how it was before, in words."""

from collections.abc import Iterator, Sequence

import numpy as np

from nightjar.asof.values import Ints
from nightjar.profiling.stored import jumps
from nightjar.profiling.stored.columns import ColumnHistory, NumberFigures
from nightjar.profiling.stored.jumps import EARLIER
from nightjar.profiling.stored.level_changes import of_levels
from nightjar.profiling.stored.periods import Periods
from nightjar.profiling.stored.presence import Presence, presence
from nightjar.profiling.stored.series import About, Change, Series
from nightjar.report.formatting import compact, percent


def changes(columns: Sequence[ColumnHistory], periods: Periods) -> list[Change]:
    """What stands out, the latest first, and then in the order of the columns."""
    everything = [change for column in columns for change in _of_column(column, periods)]
    return sorted(everything, key=lambda change: -change.period)


def can_judge(facts: Ints) -> bool:
    """Whether there are enough periods with facts for anything to stand out."""
    return int(np.count_nonzero(facts)) > EARLIER


def _of_column(column: ColumnHistory, periods: Periods) -> Iterator[Change]:
    yield from _of_values(Series(column, periods, np.flatnonzero(column.facts)))
    with_values = Series(column, periods, np.flatnonzero(column.present))
    if column.numbers is not None:
        yield from _of_numbers(column.numbers, with_values)
    if column.trues is not None:
        yield from with_values.share_jumps(column.trues, column.present, About.TRUES, "The share of true")
    if column.levels is not None:
        yield from of_levels(column.levels, with_values)


def _of_values(series: Series) -> Iterator[Change]:
    """Whether the column has lost all its values, or has them only lately; else where more or fewer are missing."""
    facts, present = series.column.facts[series.places], series.column.present[series.places]
    compared = series.compared
    span = presence(present, facts, len(compared))
    if span is not None:
        yield from _of_span(series, span, facts, present)
    for jump in jumps.of_shares(series.column.missing[compared], series.column.facts[compared]):
        if span is None or jump.place not in span.edges:
            yield series.jump(jump, About.MISSING, "The share without a value", percent)


def _of_span(series: Series, span: Presence, facts: Ints, present: Ints) -> Iterator[Change]:
    share = percent(float(present.sum() / facts[span.first : span.last + 1].sum()))
    if span.is_gone:
        number, after = int(series.places[span.last + 1]), series.extent(facts[span.last + 1 :])
        words = f"No fact has a value {series.periods.since_then(number)} ({after}); before, {share} had one."
        yield Change(series.column.name, About.MISSING, number, words)
    if span.is_new:
        number, before = int(series.places[span.first]), series.extent(facts[: span.first])
        when = series.periods.on(number)
        words = (
            f"The first value is there {when}: {share} of the facts since have one, none of those before ({before})."
        )
        yield Change(series.column.name, About.MISSING, number, words)


def _of_numbers(numbers: NumberFigures, series: Series) -> Iterator[Change]:
    column = series.column
    with_mean = Series(column, series.periods, np.flatnonzero((numbers.finite > 0) & np.isfinite(numbers.mean)))
    places = with_mean.compared
    for jump in jumps.of_means(numbers.mean[places], numbers.variance[places], numbers.finite[places]):
        yield with_mean.jump(jump, About.NUMBERS, "The mean", compact)
    shares = ((numbers.zeros, About.ZEROS, "0"), (numbers.not_finite, About.NOT_FINITE, "NaN and infinities"))
    for counts, about, words in shares:
        yield from series.share_jumps(counts, column.present, about, f"The share of {words}")
