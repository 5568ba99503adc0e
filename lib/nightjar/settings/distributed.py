"""Settings of distributed training: one network, several workers, data that need not fit into memory."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.fields import Count, Positive, Whole
from nightjar.settings.validation import settings


@settings
class Distributed:
    """How one network is trained by several workers.

    The result depends on `lanes` and `piece_rows`, never on `workers`: each step sees the same rows whoever reckons
    them.

    Attributes:
        workers: processes that train, each on its share of every step's rows.
        worker_cpus: processors that each of them reserves. At least one in the cluster must be left to read the data.
        lanes: parts of the rows, of equal size; a worker takes one or several. A step takes equally many rows of each.
        piece_rows: rows that are read, prepared and shuffled at once; rounded down to whole steps.
        sample_rows: rows that the preparation is fitted on.
        restarts: how often the training goes on from its last checkpoint after a worker was lost or failed.
        starved_after: seconds without data after which a worker gives up.
    """

    workers: Count = 2
    worker_cpus: Positive = 1.0
    lanes: Count = 4
    piece_rows: Count = 65_536
    sample_rows: Count = 200_000
    restarts: Annotated[Whole, Field(ge=0)] = 2
    starved_after: Positive = 300.0

    def issues(self) -> Iterator[Issue]:
        """Whether each worker has a lane."""
        yield from expect(
            self.lanes >= self.workers, "lanes", self.lanes, f"at least one for each of {self.workers} workers"
        )
