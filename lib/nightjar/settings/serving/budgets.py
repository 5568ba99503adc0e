"""Settings of what the steps of a night may take."""

from nightjar.settings.fields import Positive
from nightjar.settings.validation import settings


@settings
class Budget:
    """What a step may take. A step that takes more is done all the same: an alert says so.

    Attributes:
        seconds (s): of wall time, at most; None: any.
        rows_per_second (rows): of all that it counts, at least.
        peak_memory (GiB): of its process and those that it has started, on the driver's machine, at most.
        spilled (GiB): what Spark's tasks put on disk for want of memory, at most.
        skew (times): of the longest of Spark's stages, its longest task by its median task, at most.
    """

    seconds: Positive | None = None
    rows_per_second: Positive | None = None
    peak_memory: Positive | None = None
    spilled: Positive | None = None
    skew: Positive | None = None
