"""What an estimator can work with. Where settings of the preparation are silent, this decides."""

from enum import Enum


class Needs(Enum):
    """What the numbers that an estimator takes must be like."""

    COMPLETE = "complete"
    """Linear models, networks, neighbours: no null, everything of about the same size."""
    ORDERED = "ordered"
    """Trees: numbers as they are, null is NaN; categories as places."""
