"""Settings of the groups that a project is to be fair to."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import field
from typing import Annotated, TypeAlias

from pydantic import Discriminator, Field, Tag

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, Whole
from nightjar.settings.validation import settings


def _tag_of_columns(value: object) -> str | None:
    if isinstance(value, list | tuple):
        return "<columns>"
    return "<column>" if isinstance(value, str) else None


Columns: TypeAlias = Annotated[
    Annotated[str, Tag("<column>")] | Annotated[list[str], Field(min_length=2), Tag("<columns>")],
    Discriminator(
        _tag_of_columns,
        custom_error_type="columns",
        custom_error_message="expected {expected}",
        custom_error_context={"expected": "a column, or a list of two or more for their intersections"},
    ),
]
"""A column whose values are groups, or several whose combinations are."""


def as_lists(groups: Sequence[str | Sequence[str]]) -> list[tuple[str, ...]]:
    """The columns that tell groups apart, one tuple for each way."""
    return [(one,) if isinstance(one, str) else tuple(one) for one in groups]


def in_words(columns: Sequence[str]) -> str:
    """What names a way to tell groups apart: `sex`, or `sex and age_band`."""
    return " and ".join(columns)


def each_once(key: str, groups: Sequence[str | Sequence[str]]) -> Iterator[Issue]:
    """Whether no column of a list, and no way to tell groups apart, is named twice."""
    lists = as_lists(groups)
    for columns in lists:
        yield from expect(len(set(columns)) == len(columns), key, list(columns), "each column once")
    sets = [frozenset(columns) for columns in lists]
    yield from expect(len(set(sets)) == len(sets), key, groups, "each group of columns once")


class MitigationKind(Choice):
    NONE = "none"
    REWEIGHING = "reweighing"
    RESAMPLING = "resampling"
    REDUCTION = "reduction"
    THRESHOLDS = "thresholds"


class Parity(Choice):
    """What is to be equal between groups: the share that is acted on, of all rows or of the True ones."""

    DEMOGRAPHIC_PARITY = "demographic_parity"
    EQUAL_OPPORTUNITY = "equal_opportunity"


class UnseenGroup(Choice):
    OVERALL = "overall"
    HIGHEST = "highest"
    LOWEST = "lowest"


@settings
class Mitigation:
    """How groups are treated more alike, at a price that the training states beside it.

    Attributes:
        kind: `none`. `reweighing`: training rows weigh so that group and label are independent. `resampling`: the same
            by rows that are dropped and repeated, for estimators that take no weights. `reduction`: the mean of
            refits, whose rows count by how far the ones before have missed the goal. `thresholds`: each group has
            thresholds of its own in every tier, fitted to out-of-fold scores. Baselines stay as they are.
        columns: those whose values (of several: combinations) are treated alike.
        goal: for `reduction` and `thresholds`: `demographic_parity`: of each group the same share is acted on;
            `equal_opportunity`: the same share of its True rows.
        fits (fits): for `reduction`: how many refits; the later half of them is kept.
        least_rows (rows): a group with fewer of the rows that it is learned from is left as it is, and for
            `thresholds` counts as unseen.
        unseen: for `thresholds`: which one a row of an unseen group gets: `overall`, that of all rows together;
            `highest` or `lowest` of those of the groups.
        compare: whether the training states what each of the other kinds would do, too; that fits the winner anew.
    """

    kind: MitigationKind = MitigationKind.NONE
    columns: list[str] = field(default_factory=list)
    goal: Parity = Parity.DEMOGRAPHIC_PARITY
    fits: Annotated[Whole, Field(ge=2)] = 8
    least_rows: Count = 100
    unseen: UnseenGroup = UnseenGroup.OVERALL
    compare: bool = False

    def issues(self) -> Iterator[Issue]:
        """Whether there are columns where something is done, each once."""
        acts = self.compare or self.kind is not MitigationKind.NONE
        expected = "columns that tell groups apart" if acts else "none where nothing is mitigated or compared"
        yield from expect(bool(self.columns) == acts, "columns", self.columns, expected)
        is_once = len(set(self.columns)) == len(self.columns)
        yield from expect(is_once, "columns", self.columns, "each column once")

    def is_of_fits(self) -> bool:
        """Whether it changes what models are fitted on."""
        return self.kind in OF_FITS

    def weighs(self) -> bool:
        """Whether it gives weights to the rows that models are fitted on."""
        return self.kind in (MitigationKind.REWEIGHING, MitigationKind.REDUCTION)


OF_FITS = (MitigationKind.REWEIGHING, MitigationKind.RESAMPLING, MitigationKind.REDUCTION)
"""Kinds that act before or in training."""


@settings
class GroupFairness:
    """Groups of rows for whom a classification's decisions are compared with those for all other rows.

    Of several classes each one is compared against the rest: a row is acted on where the class is predicted, and True
    where it is of it. Mitigations are for two classes.

    The columns tell rows apart where a model is judged, and are not learned from unless that is said.

    Attributes:
        groups: columns of the feature table, such as one of `spine.keep`: the rows of each of their values, null among
            them, are a group; a list of columns stands for the rows of each combination of their values, such as
            [sex, [sex, age_band]]. Those of
            `promotion.fairness.columns` and of `mitigation` are groups without being named here.
        least_rows (rows): a rate of fewer rows, and a comparison with it, has no bounds.
        allow_as_feature: those of these columns that models may learn from all the same, by themselves or by a feature
            that is made of them. Any other one among the features is refused.
        mitigation: how groups are treated more alike.
    """

    groups: list[Columns] = field(default_factory=list)
    least_rows: Count = 100
    allow_as_feature: list[str] = field(default_factory=list)
    mitigation: Mitigation = field(default_factory=Mitigation)

    def issues(self) -> Iterator[Issue]:
        """Whether no column, and no group, is named twice."""
        yield from each_once("groups", self.groups)

    def columns(self) -> list[tuple[str, ...]]:
        """The columns that tell groups apart, one tuple for each way."""
        return as_lists(self.groups)

    def judged(self, of_gates: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """The columns that tell apart all groups that are judged, one tuple for each way, those of gates first."""
        mitigated = [tuple(self.mitigation.columns)] if self.mitigation.columns else []
        ways: dict[frozenset[str], tuple[str, ...]] = {}
        for columns in [*of_gates, *self.columns(), *mitigated]:
            ways.setdefault(frozenset(columns), columns)
        return list(ways.values())

    def protected(self, of_gates: Sequence[tuple[str, ...]]) -> list[str]:
        """The columns of groups that no feature may be made of."""
        names = dict.fromkeys(name for columns in self.judged(of_gates) for name in columns)
        return [name for name in names if name not in self.allow_as_feature]

    def place(self, name: str, of_gates: Sequence[tuple[str, ...]]) -> str:
        """The key that names a column of groups; of several the first."""
        if any(name in columns for columns in of_gates):
            return "promotion.fairness.columns"
        is_own = any(name in columns for columns in self.columns())
        return "fairness.groups" if is_own else "fairness.mitigation.columns"

    def issues_with(
        self, of_gates: Sequence[tuple[str, ...]], stored: Collection[str], features: Collection[str]
    ) -> Iterator[Issue]:
        """Whether groups are of stored columns, from which nobody learns unless that is said.

        Args:
            of_gates: the columns whose groups the gates of a promotion compare.
            stored: all columns of the feature table.
            features: those of them that models learn from.
        """
        own = dict.fromkeys(name for columns in self.columns() for name in columns)
        yield from expect_one_of("fairness.groups", own, stored, "feature table's columns")
        mitigated = self.mitigation.columns
        yield from expect_one_of("fairness.mitigation.columns", mitigated, stored, "feature table's columns")
        at = "fairness.allow_as_feature"
        of_groups = dict.fromkeys([*(name for columns in of_gates for name in columns), *own, *mitigated])
        yield from expect_one_of(at, self.allow_as_feature, of_groups, "columns of groups")
        for name in self.protected(of_gates):
            expected = (
                f"a column that no model learns from: {name} is a feature. Name it in spine.keep and not among the "
                f"features, or say that models may learn from it: fairness.allow_as_feature: [{name}]"
            )
            yield from expect(name not in features, self.place(name, of_gates), name, expected)
