"""How bad something is, as pages say it: a word and a sign for each state that monitoring stores.

The sign differs in form, so that no state is told by its colour alone.
"""

from collections import Counter
from collections.abc import Iterable

OK, WATCH, ACT, UNKNOWN = "ok", "watch", "act", "unknown"
"""As the tables signals, verdicts and drift store them."""
WORST_FIRST = (ACT, UNKNOWN, WATCH, OK)
"""What nobody can say comes before what is only to be watched: it may hide something to act on."""
SIGNS = {ACT: "▲", UNKNOWN: "?", WATCH: "△", OK: "✓"}
WORDS = {ACT: "ACT", UNKNOWN: "UNKNOWN", WATCH: "WATCH", OK: "OK"}


def place(state: str | None) -> int:
    """Where a state stands among the others, the worst first; a state that is no state, or none, is last.

    Example:
        >>> sorted(["ok", None, "watch", "act"], key=place)
        ['act', 'watch', 'ok', None]
    """
    return WORST_FIRST.index(state) if state in WORST_FIRST else len(WORST_FIRST)


def sign(state: str) -> str:
    """The sign of a state.

    Example:
        >>> sign("watch")
        '△'
    """
    return SIGNS.get(state, "–")


def tally(states: Iterable[str]) -> str:
    """How many of each state there are, in words, the worst first.

    Example:
        >>> tally(["ok", "act", "ok"])
        '1 ACT, 2 OK'
    """
    counts = Counter(states)
    return ", ".join(f"{counts[one]} {WORDS.get(one, one.upper())}" for one in sorted(counts, key=place))


def badge(state: str) -> str:
    """Sign and word of a state; a state of a later version by its own name.

    Example:
        >>> badge("act")
        '▲ ACT'
    """
    return f"{sign(state)} {WORDS.get(state, state.upper())}"
