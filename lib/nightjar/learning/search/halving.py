"""Which candidates go on at a rung of successive halving: scores on common folds decide, not the order of results."""

import math
from collections.abc import Sequence


def survivor_count(count: int, keep: float) -> int:
    """How many of `count` candidates go on: the share `keep`, rounded up."""
    return math.ceil(keep * count - 1e-9)


def survivors(means: Sequence[float | None], keep: float) -> list[int]:
    """The positions of those that go on: the share `keep` with the greatest means, rounded up; the earlier of equals.

    Args:
        means: of each candidate over the same folds, in the order they were proposed, greater is better; None: it
            failed on one of them, and is stopped.
        keep: a share above 0 and below 1, of all that were measured, also of those that failed.
    """
    rated = [(-mean, position) for position, mean in enumerate(means) if mean is not None]
    return sorted(position for _, position in sorted(rated)[: survivor_count(len(means), keep)])
