"""Requirements of estimators on their inputs, which decide where settings of the preparation are unset."""

from enum import Enum


class InputRequirement(Enum):
    """The form of numbers that an estimator takes."""

    COMPLETE = "complete"
    """Linear models, networks, neighbours: no null, everything of about the same size."""
    ORDERED = "ordered"
    """Trees: numbers as they are, null is NaN; categories as places."""
    NATIVE = "native"
    """Trees that can part sets of levels: as ORDERED, and categories may be codes."""
