"""Settings of distributed training: one network, several workers, data that need not fit into memory."""

from dataclasses import dataclass

from nightjar.settings.checks import require


@dataclass
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

    workers: int = 2
    worker_cpus: float = 1.0
    lanes: int = 4
    piece_rows: int = 65_536
    sample_rows: int = 200_000
    restarts: int = 2
    starved_after: float = 300.0

    def __post_init__(self) -> None:
        """Check the counts."""
        for name in ("workers", "lanes", "piece_rows", "sample_rows"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        require(self.lanes >= self.workers, "lanes", self.lanes, f"at least one for each of {self.workers} workers")
        require(self.worker_cpus > 0, "worker_cpus", self.worker_cpus, "more than 0")
        require(self.restarts >= 0, "restarts", self.restarts, "at least 0")
        require(self.starved_after > 0, "starved_after", self.starved_after, "more than 0 seconds")
