"""What is usual of several nights together: distances between windows of a reference's nights and the nights before.

The rows of all nights of a window are counted together. Where shocks of single nights cancel in it, a small change that
lasts stands out. Windows of a reference overlap, so they tell less than their number says: fewer than 15 that do not
overlap are not judged by. Each is studentised by windows that share no night with those of its own 28-day block.
"""

from dataclasses import dataclass

import numpy as np

from nightjar.evaluation.histograms import Counts
from nightjar.evaluation.rows import Floats
from nightjar.evaluation.tails import Tail, fit_tail
from nightjar.evaluation.yardsticks import (
    LEAST_MAXIMUM,
    LEAST_SCALES,
    Distance,
    Nights,
    blocks,
    comparable,
    deviation,
    draw_down,
    shares,
)

FEWEST = 15
"""Windows that do not overlap, without which nothing is said."""


@dataclass(frozen=True, eq=False)
class WindowYardstick:
    """Centre and deviation of each column over windows of one length, and the distribution of the greatest of them.

    Attributes:
        nights: of a window; where there is none on some weekdays fewer than days.
        centres: mean distances, (columns,).
        scales: deviations around them, (columns,).
        tail: of the greatest studentised distance of all columns.
    """

    nights: int
    centres: Floats
    scales: Floats
    tail: Tail

    def studentise(self, expected: Counts, window: Counts, distance: Distance) -> Floats:
        """How many deviations each column is beyond what is usual, of counts (columns, groups)."""
        return np.asarray((distance(shares(expected), shares(window)) - self.centres) / self.scales, np.float64)


Fitted = dict[tuple[int, int, int, tuple[str, ...]], WindowYardstick | None]
"""By days, lag, rows and columns; None: there are too few windows."""


def fit_window(
    dates: Nights, counts: Counts, lag_days: int, rows: int, distance: Distance, days: int
) -> WindowYardstick | None:
    """Compare each window with the nights that lie at least so many days before its last one; None: they are too few.

    Args:
        dates: ascending, (nights,).
        counts: (columns, nights, groups), nulls first.
        lag_days: as in `yardsticks.fit_yardstick`.
        rows: nights of more rows are drawn down to so many.
        distance: see `divergences.OF_SHARES`.
        days: from a window's first day to its last.
    """
    nights, before = comparable(dates, lag_days)
    first = np.searchsorted(dates, dates - np.timedelta64(days, "D"), side="right")
    size = np.arange(len(dates)) - first + 1
    whole = size[nights] == size.max()
    nights, before = nights[whole], before[whole]
    if len(nights) < FEWEST * size.max():
        return None
    earliest = first[nights[0]]
    sums = np.pad(np.cumsum(draw_down(counts[:, earliest:], rows), axis=1), ((0, 0), (1, 0), (0, 0)))
    windows = sums[:, nights + 1 - earliest] - sums[:, first[nights] - earliest]
    distances = distance(shares(np.cumsum(counts, axis=1)[:, before - 1]), shares(windows))
    tail = fit_tail(_studentise(distances, dates[nights], days).max(axis=0), LEAST_MAXIMUM)
    centres = distances.mean(axis=1)
    return WindowYardstick(int(size.max()), centres, deviation(distances - centres[:, None], LEAST_SCALES[0]), tail)


def _studentise(distances: Floats, dates: Nights, days: int) -> Floats:
    """Each window beyond the mean, over the deviation, of the windows without nights of its block's windows."""
    block, length, result = blocks(dates), np.timedelta64(days, "D"), np.empty_like(distances)
    for one in np.unique(block):
        own = block == one
        within = dates[own]
        others = distances[:, (dates <= within[0] - length) | (dates >= within[-1] + length)]
        centres = others.mean(axis=1, keepdims=True)
        result[:, own] = (distances[:, own] - centres) / deviation(others - centres, LEAST_SCALES[0])[:, None]
    return result
