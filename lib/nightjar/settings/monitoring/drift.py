"""Settings of drift: which columns matter, over which windows, and from which distance on."""

from collections.abc import Collection, Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, Positive
from nightjar.settings.validation import settings


class Distance(Choice):
    """A distance of a night's rows from the training data, as table drift has it."""

    PSI = "psi"
    JENSEN_SHANNON = "jensen_shannon"
    KL = "kl"
    HELLINGER = "hellinger"
    TOTAL_VARIATION = "total_variation"
    WASSERSTEIN = "wasserstein"
    KS = "ks"
    L_INFINITY = "l_infinity"
    NULL_SHARE = "null_share"


@settings
class DriftThreshold:
    """From which distance on a column is to be looked at, in place of how far the nights of its reference were.

    Attributes:
        measure: the distance.
        watch (of the distance): from this value on it is to be watched.
        act (of the distance): from this value on something is to be done; none: never.
    """

    watch: Positive
    act: Positive | None = None
    measure: Distance = Distance.PSI

    def issues(self) -> Iterator[Issue]:
        """Whether the second threshold is beyond the first."""
        yield from expect(
            self.act is None or self.act > self.watch, "act", self.act, f"more than watch={self.watch:g}, or none"
        )


@settings
class Drift:
    """What is watched of a night's rows.

    Attributes:
        columns: the features that matter; the others are measured, and nobody is called for them. Empty: all.
        thresholds: feature, or score -> a distance from which on it is to be looked at. The others are judged by how
            far the nights of their reference were.
        multivariate: whether columns are also compared together: what a classifier and principal components see of a
            sample, and no column shows by itself. A training takes half a minute more for it.
        windows (nights): lengths of windows that are measured beside each night, which is their last one, and judged
            where the training had at least 15 of them that do not overlap. Empty: none.
    """

    columns: list[str] = field(default_factory=list)
    thresholds: dict[str, DriftThreshold] = field(default_factory=dict)
    multivariate: bool = False
    windows: list[Count] = field(default_factory=lambda: [7, 28])

    def issues_with(self, features: Collection[str]) -> Iterator[Issue]:
        """Whether the names in it are the project's.

        Args:
            features: of the project.
        """
        yield from expect_one_of("columns", self.columns, features, "features")
        yield from expect_one_of("thresholds", self.thresholds, [*features, "score"], "features, and score")
        twice = len(set(self.windows)) < len(self.windows) or 1 in self.windows
        yield from expect(not twice, "windows", self.windows, "lengths of 2 nights or more, each once")
