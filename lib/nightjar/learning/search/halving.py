"""Who goes on at a rung of successive halving. Decided from scores on common folds alone, never from arrival."""

import math
from collections.abc import Sequence


def places(count: int, keep: float) -> int:
    """How many of so many may go on: the share, rounded up."""
    return math.ceil(keep * count - 1e-9)


def survivors(means: Sequence[float | None], keep: float) -> list[int]:
    """The places of those that go on: the share `keep` with the greatest means, rounded up; the earlier of equals.

    Args:
        means: of each candidate over the same folds, in the order they were proposed, greater is better; None: it
            failed on one of them, and goes no further.
        keep: a share above 0 and below 1, of all that were measured, also of those that failed.
    """
    rated = [(-mean, place) for place, mean in enumerate(means) if mean is not None]
    return sorted(place for _, place in sorted(rated)[: places(len(means), keep)])
