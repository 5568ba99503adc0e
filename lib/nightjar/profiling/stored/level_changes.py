"""Texts that appear or vanish in a column, or whose shares jump."""

from collections.abc import Iterator

import numpy as np

from nightjar.profiling.stored import jumps
from nightjar.profiling.stored.columns import ColumnHistory
from nightjar.profiling.stored.jumps import Jump
from nightjar.profiling.stored.levels import Levels
from nightjar.profiling.stored.presence import presence
from nightjar.profiling.stored.series import About, Change, Series
from nightjar.report.formatting import percent, shorten

SHOWN = 8
"""Texts of a column whose shares are shown and compared over time: the most frequent ones."""
COMING_AND_GOING = 3
"""Where texts appear or vanish in more periods than this, that is how the column is, and none is pointed out."""
NAMED = 5
LONGEST = 40  # letters of a text


def of_levels(levels: Levels, series: Series) -> Iterator[Change]:
    """Texts that appear or vanish, those of one period together, and jumps of the most frequent ones' shares."""
    facts, complete = series.column.present[series.places], len(series.compared)
    spans = {place: presence(counts[series.places], facts, complete) for place, counts in enumerate(levels.counts)}
    edges = {place: span.edges for place, span in spans.items() if span is not None and span.edges}
    new, gone = dict[int, list[int]](), dict[int, list[int]]()
    for place, span in spans.items():
        if span is not None and span.is_new:
            new.setdefault(span.first, []).append(place)
        if span is not None and span.is_gone:
            gone.setdefault(span.last + 1, []).append(place)
    if len(new.keys() | gone.keys()) > COMING_AND_GOING or not levels.is_complete:
        yield from _of_shares(levels, series, edges, set())
        return
    yield from _of_shares(levels, series, edges, set().union(*edges.values()))
    yield from _of_new(levels, series, new)
    yield from _of_gone(levels, series, gone)


def new_in_last(column: ColumnHistory) -> tuple[str, ...]:
    """The texts that are in the last period with values for the first time, the most frequent first."""
    with_values = np.flatnonzero(column.present)
    if column.levels is None or not column.levels.is_complete or len(with_values) < 2:
        return ()
    counts, last = column.levels.counts, int(with_values[-1])
    is_new = (counts[:, last] > 0) & (counts[:, :last].sum(axis=1) == 0)
    return tuple(column.levels.names[place] for place in np.flatnonzero(is_new).tolist())


def quote(name: str) -> str:
    """A text as it stands in a sentence, a long one shortened."""
    return f"'{shorten(name, LONGEST)}'"


def _of_new(levels: Levels, series: Series, new: dict[int, list[int]]) -> Iterator[Change]:
    for first, places in new.items():
        number, share = int(series.places[first]), _share(levels, series, places, slice(first, None))
        before = series.extent(series.column.present[series.places[:first]])
        words = (
            f"{_names(levels, places)} {_were(places)} there for the first time {series.periods.on(number)}: {share} "
            f"of the values since, none of those before ({before})."
        )
        yield Change(series.column.name, About.LEVELS, number, words)


def _of_gone(levels: Levels, series: Series, gone: dict[int, list[int]]) -> Iterator[Change]:
    for end, places in gone.items():
        number, share = int(series.places[end]), _share(levels, series, places, slice(None, end))
        since = series.extent(series.column.present[series.places[end:]])
        words = (
            f"{_names(levels, places)} {_were(places)} there for the last time "
            f"{series.periods.on(int(series.places[end - 1]))}: {share} of the values up to then, none of those since "
            f"({since})."
        )
        yield Change(series.column.name, About.LEVELS, number, words)


def _of_shares(levels: Levels, series: Series, edges: dict[int, set[int]], all_edges: set[int]) -> Iterator[Change]:
    """Of each period the text alone whose share has moved most: where one gains, others lose.

    Args:
        levels: the texts.
        series: the column.
        edges: number of a text -> the periods around which it begins or ends.
        all_edges: periods in which every share moves, as others appear or vanish.
    """
    moves = dict[int, tuple[float, str, Jump]]()
    present = series.column.present[series.compared]
    for place, name in enumerate(levels.names[:SHOWN]):
        for jump in jumps.of_shares(levels.counts[place][series.compared], present):
            move = min(abs(jump.value - jump.low), abs(jump.value - jump.high))
            is_largest = jump.place not in moves or move > moves[jump.place][0]
            if is_largest and jump.place not in all_edges | edges.get(place, set()):
                moves[jump.place] = move, name, jump
    for _, name, jump in moves.values():
        yield series.jump(jump, About.LEVELS, f"The share of {quote(name)}", percent)


def _share(levels: Levels, series: Series, places: list[int], among: slice) -> str:
    """The share of some texts together among the values of some periods."""
    here = series.places[among]
    return percent(float(levels.counts[np.ix_(np.array(places), here)].sum() / series.column.present[here].sum()))


def _names(levels: Levels, places: list[int]) -> str:
    more = f" and {len(places) - NAMED:,} more" if len(places) > NAMED else ""
    return ", ".join(quote(levels.names[place]) for place in places[:NAMED]) + more


def _were(places: list[int]) -> str:
    return "was" if len(places) == 1 else "were"
