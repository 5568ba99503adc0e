"""How bad the drift of columns can be, by what the model uses of them.

The importance of a column is what the model loses once its values are shuffled: the column then says nothing, and
drift in it alone rarely does worse. So its share of what the model uses is about what there is to lose, whatever the
distance: see docs/monitoring.md for the two marks.
"""

from collections.abc import Iterable

from nightjar.monitoring.signals import State

WATCHED, ACTED = 0.01, 0.1
"""Share of what the model uses from which drift is to be watched, and from which it is to be acted on."""
ORDER = (State.OK, State.UNKNOWN, State.WATCH, State.ACT)


def limit_of(share: float | None, *, is_fault: bool = False) -> State:
    """The worst that drift of some columns can be.

    Args:
        share: of what the model uses, that these columns have; None: nobody has measured it, so it may be all.
        is_fault: whether what sends them is broken, which rarely stays with one column: one step worse.

    Example:
        >>> [limit_of(share).word for share in (0.0, 0.01, 0.1, None)]
        ['ok', 'watch', 'act', 'act']
        >>> [limit_of(share, is_fault=True).word for share in (0.0, 0.01)]
        ['watch', 'act']
    """
    steps = (State.OK, State.WATCH, State.ACT)
    step = 2 if share is None else (share >= WATCHED) + (share >= ACTED)
    return steps[min(step + is_fault, 2)]


def worst_of(states: Iterable[State | None], limit: State) -> State:
    """The worst of some states, but no worse than a limit.

    Example:
        >>> worst_of([State.OK, State.ACT, None], State.WATCH).word
        'watch'
    """
    return min(max((one for one in states if one is not None), key=ORDER.index), limit, key=ORDER.index)
