"""Settings of the folds: which rows a candidate is fitted on, and which it is measured on."""

from collections.abc import Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, DurationText
from nightjar.settings.validation import settings


class SplitKind(Choice):
    WALK_FORWARD = "walk_forward"
    RANDOM = "random"
    STRATIFIED = "stratified"
    GROUPED = "grouped"
    STRATIFIED_GROUPED = "stratified_grouped"


@settings
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
    folds: Count = 3
    test_days: Count = 28
    train_days: Count | None = None
    group: list[str] = field(default_factory=list)
    embargo: DurationText = "0d"

    def issues(self) -> Iterator[Issue]:
        """Whether what the kind needs is there, and nothing else."""
        walk, grouped = self.kind is SplitKind.WALK_FORWARD, "GROUPED" in self.kind.name
        least = 1 if walk else 2
        yield from expect(self.folds >= least, "folds", self.folds, f"at least {least} for kind={self.kind}")
        slides = self.train_days is None or walk
        yield from expect(slides, "train_days", self.train_days, "none: only kind=walk_forward has it")
        expected = f"columns of the feature table for kind={self.kind}" if grouped else "none for this kind"
        yield from expect(bool(self.group) == grouped, "group", self.group, expected)
