"""Settings of the folds: which rows a candidate is fitted on, and which it is measured on."""

from dataclasses import dataclass, field
from enum import Enum

from nightjar.settings.checks import require, require_duration


class SplitKind(Enum):
    WALK_FORWARD = "walk_forward"
    RANDOM = "random"
    STRATIFIED = "stratified"
    GROUPED = "grouped"
    STRATIFIED_GROUPED = "stratified_grouped"


@dataclass
class Split:
    """How the rows before the final period become folds.

    Attributes:
        kind: `walk_forward`: test periods of calendar dates that follow each other, trained on what was known before.
            The others deal rows, or whole groups of them, to the folds by the search's seed.
        folds: how many.
        test_days: for `walk_forward`: local dates in each test period.
        train_days: for `walk_forward`: only the prediction dates so many days before the test period are trained on
            (sliding); None: all before it (expanding).
        group: for `grouped` and `stratified_grouped`: columns of the feature table whose values name the group.
        embargo: `walk_forward`: training rows are settled (label known, horizon passed) at least this long before the
            test period starts.
            The others: training rows keep this distance after the label of any test row.
    """

    kind: SplitKind = SplitKind.WALK_FORWARD
    folds: int = 3
    test_days: int = 28
    train_days: int | None = None
    group: list[str] = field(default_factory=list)
    embargo: str = "0d"

    def __post_init__(self) -> None:
        """Check the counts, and that what a kind needs is there."""
        walk, grouped = self.kind is SplitKind.WALK_FORWARD, "GROUPED" in self.kind.name
        least = 1 if walk else 2
        require(self.folds >= least, "folds", self.folds, f"at least {least} for kind={self.kind.name}")
        require(self.test_days >= 1, "test_days", self.test_days, "at least 1")
        sliding = self.train_days is None or (walk and self.train_days >= 1)
        require(sliding, "train_days", self.train_days, "at least 1, or none; only kind=WALK_FORWARD has it")
        expected = f"columns of the feature table for kind={self.kind.name}" if grouped else "none for this kind"
        require(bool(self.group) == grouped, "group", self.group, expected)
        require_duration("embargo", self.embargo)
