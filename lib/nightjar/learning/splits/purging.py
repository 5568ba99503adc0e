"""Purging: which training rows' label windows touch those of the test rows, or the embargo after them.

Source: López de Prado (2018), Advances in Financial Machine Learning, 7.4.
"""

import numpy as np
import numpy.typing as npt

from nightjar.durations import Length, duration_of
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.data.instants import Instants, microseconds
from nightjar.timeline import shift


def overlaps(
    prediction_time: Instants,
    label_known_at: Instants,
    train: RowNumbers,
    test: RowNumbers,
    embargo: Length,
    zone: str = "UTC",
) -> npt.NDArray[np.bool_]:
    """Whether each training row shares label time with a test row: for a row of `train`, in its order.

    A label is about the time (t, k], t being the prediction time and k the instant at which it was known. The window of
    a test row is (t, k + embargo]. Half-open: windows that only touch share nothing.

    A training label known by its own prediction time (k <= t) has no such time. It still depends on what happened up to
    k, so it counts as the instant k: dropped inside a test window (t < k' <= k + embargo), kept at its beginning, where
    it may be known at the prediction time. A test row whose window is empty, embargo included, drops nothing.

    Args:
        prediction_time: of every row (UTC).
        label_known_at: of every row (UTC).
        train: row numbers.
        test: row numbers.
        embargo: how long after a test row's label.
        zone: whose days an embargo counts.
    """
    # In whole microseconds (t, k] is the closed [t + 1, k].
    time, label_time = microseconds(prediction_time), microseconds(label_known_at)
    first, last = time[test] + 1, shift(label_time[test], duration_of(embargo), zone)
    nonempty = first <= last
    order = np.argsort(first[nonempty], kind="stable")
    begins, reach = first[nonempty][order], np.maximum.accumulate(last[nonempty][order])
    earlier = np.searchsorted(begins, label_time[train], side="right")
    overlapping = earlier > 0
    overlapping[overlapping] = (
        reach[earlier[overlapping] - 1] >= np.minimum(time[train] + 1, label_time[train])[overlapping]
    )
    return overlapping
