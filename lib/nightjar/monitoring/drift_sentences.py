"""What somebody on call reads of a column or cluster that moved: what is so tonight, and what the model has of it."""

from collections.abc import Sequence

from nightjar.monitoring.drift_changes import BinChange
from nightjar.monitoring.drift_judging import Assessment


def sentence_of_cluster(
    columns: Sequence[str],
    top: Assessment,
    bins: Sequence[BinChange],
    slices: Sequence[tuple[str, float, float]],
    share: float | None,
) -> str:
    """What changed in the column that counts most, how many others went with it, and what the model uses of them.

    Args:
        columns: that moved together, the one that counts most first.
        top: what is said of that one.
        bins: what changed most in it.
        slices: that explain its change: name, share of the change, share of the rows.
        share: of what the model uses; None: nobody has measured it.
    """
    first, others = columns[0], len(columns) - 1
    parts = [f"{first}: {top.reason}" if top.reason else _change(first, top, bins)]
    if others:
        parts[0] += f"; {others} other {'column' if others == 1 else 'columns'} moved with it"
    parts += [f"{name} makes {part:.0%} of the change" for name, part, _ in slices[:1]]
    return ". ".join([*parts, *_used(share, is_several=others > 0)]) + "."


def sentence_of_unimportant(names: Sequence[str], share: float, most: int = 3) -> str:
    """What is said of columns that moved, and of which the model uses next to nothing."""
    listed = ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
    what = "which the model does not use" if share == 0 else f"{in_words(share)} of what the model uses in all"
    return f"Moved, but with little to lose: {listed}, {what}."


def in_words(share: float) -> str:
    """A share as it is said.

    Example:
        >>> [in_words(share) for share in (0.0, 0.004, 0.356, 0.9999, 1.0)]
        ['none', '0.4%', '36%', '99.9%', 'all']
    """
    if share in (0.0, 1.0):
        return "all" if share else "none"
    return f"{min(share, 0.999):.1%}" if share < 0.01 or share > 0.99 else f"{share:.0%}"


def _change(name: str, one: Assessment, bins: Sequence[BinChange]) -> str:
    lasting = f", on average of {one.span} nights" if one.span not in (None, 1) else ""
    if one.threshold is None:
        lasting += ", beyond its own threshold (project.monitoring.drift.thresholds)"
    if not bins:
        return f"{name} is spread unlike in training{lasting}"
    most = bins[0]
    return f"{name} {most.clause} in {in_words(most.now)} of the rows, in training in {in_words(most.before)}{lasting}"


def _used(share: float | None, *, is_several: bool) -> list[str]:
    if share is None:
        return []
    them = "them" if is_several else "it"
    return [
        f"The model does not use {them}"
        if share == 0
        else f"The model takes {in_words(share)} of what it uses from {them}"
    ]
