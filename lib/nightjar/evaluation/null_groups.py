"""The bins of a column in groups, few enough that the reference's own nights tell what is usual in each."""

from collections.abc import Sequence

import numpy as np

from nightjar.evaluation.distances import equal_mass_groups
from nightjar.evaluation.histograms import Counts
from nightjar.evaluation.rows import RowNumbers

GROUPS = 10
"""Groups of equal mass into which columns of more than twice as many bins are merged, beside those of the ends."""


def groups_of(total: Counts) -> RowNumbers:
    """The group of each bin; numbers of groups that no bin has are closed up."""
    if len(total) <= 2 * GROUPS:
        return np.arange(len(total))
    return np.unique(equal_mass_groups(total.astype(np.float64), GROUPS), return_inverse=True)[1].astype(np.intp)


def merge_nights(counts: Counts, groups: RowNumbers) -> Counts:
    """Counts by night and group, (nights, groups), of counts by night and bin."""
    return np.asarray(counts @ np.eye(int(groups.max()) + 1, dtype=np.int64)[groups], np.int64)


def stack_counts(counts: Sequence[Counts]) -> Counts:
    """All columns in one array, (columns, nights, groups), with empty groups where a column has fewer."""
    widest = max(one.shape[1] for one in counts)
    return np.stack([np.pad(one, ((0, 0), (0, widest - one.shape[1]))) for one in counts])
