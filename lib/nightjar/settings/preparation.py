"""Settings of the preparation: how features become an estimator's numbers, and how unequal classes are evened out."""

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.choices import Choice
from nightjar.settings.columns import Category, ColumnPreparation, Encoding, Number, Text
from nightjar.settings.fields import Count, Positive, Real, Share, Whole
from nightjar.settings.validation import settings


class SelectionKind(Choice):
    VARIANCE = "variance"
    CORRELATION = "correlation"
    VIF = "vif"
    MUTUAL_INFORMATION = "mutual_information"
    ANOVA = "anova"
    CHI_SQUARED = "chi_squared"
    RFE = "rfe"
    L1 = "l1"
    TREE_IMPORTANCE = "tree_importance"


class MakerKind(Choice):
    CLUSTER = "cluster"
    CLUSTER_DISTANCES = "cluster_distances"
    ISOLATION = "isolation"
    COMPONENTS = "components"


class ImbalanceKind(Choice):
    NONE = "none"
    CLASS_WEIGHT = "class_weight"
    UNDER = "under"
    OVER = "over"
    SMOTE = "smote"
    ADASYN = "adasyn"


THRESHOLDS = {SelectionKind.VARIANCE: 0.0, SelectionKind.CORRELATION: 0.95, SelectionKind.VIF: 10.0}
"""Where none is set."""


@settings
class Selection:
    """Which of the prepared columns are left. Where there are nulls, they are judged with the median in their place.

    Attributes:
        kind: `variance`: above the threshold. `correlation`: the later one of each pair above it (absolute) goes.
            `vif`: the column with the greatest variance inflation factor goes, until none is above it.
            `mutual_information`, `anova` (the F statistic), `chi_squared` (columns of 0 or more, classification),
            `rfe` (a linear model's smallest weight goes, again and again), `tree_importance` (of a random forest): the
            best `keep` columns. `l1`: those with a weight in a linear model under that penalty.
        threshold (the kind's): for `variance` (None: 0), `correlation` (0.95) and `vif` (10).
        keep (columns): for the kinds that rank columns: how many are left; all, if there are no more.
        penalty: for `l1`: of the sum of absolute weights, beside the mean loss of a row.
    """

    kind: SelectionKind
    threshold: Annotated[Real, Field(ge=0)] | None = None
    keep: Count | None = None
    penalty: Positive = 0.01

    def issues(self) -> Iterator[Issue]:
        """Whether the kind has what it needs and nothing else."""
        has_threshold, words = self.kind in THRESHOLDS, ", ".join(map(str, THRESHOLDS))
        usable = self.threshold is None or has_threshold
        yield from expect(usable, "threshold", self.threshold, f"none: only {words} have one")
        ranks = not has_threshold and self.kind is not SelectionKind.L1
        expected = "at least 1" if ranks else "none: only kinds that rank columns have it"
        yield from expect((self.keep is not None) == ranks, "keep", self.keep, expected)


@settings
class Maker:
    """Columns made of all prepared ones, which stay beside them. Nulls count as the median, all sizes as equal.

    Attributes:
        kind: `cluster`: a column for each of `count` k-means clusters, 1 for the nearest. `cluster_distances`: the
            distance to each centre. `isolation`: how easily a forest of `count` trees sets the row apart, 0 to 1.
            `components`: the first `count` principal components, of no more columns than there are.
        count (as the kind says): of clusters, trees or components.
    """

    kind: MakerKind
    count: Annotated[Whole, Field(ge=2)] = 8


@settings
class Preparation:
    """How features become an estimator's numbers; fitted on training rows only. The default: as the estimator needs.

    In this order: each column by its type, columns without any value dropped, columns made, selected, reduced.

    Attributes:
        number: for all numbers.
        category: for all categories (string columns).
        text: for all columns that `columns` declares a text.
        columns: column -> its own settings, or another type.
        make: columns made of all others, each kind once.
        select: which columns stay, by one selection after the other.
        components (dimensions): dimensions that all columns are reduced to by PCA; needs complete numbers. None: no
            reduction.
    """

    number: Number = field(default_factory=Number)
    category: Category = field(default_factory=Category)
    text: Text = field(default_factory=Text)
    columns: dict[str, ColumnPreparation] = field(default_factory=dict)
    make: list[Maker] = field(default_factory=list)
    select: list[Selection] = field(default_factory=list)
    components: Count | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether no kind of column is made twice."""
        kinds = [maker.kind.word for maker in self.make]
        yield from expect(len(set(kinds)) == len(kinds), "make", kinds, "each kind once")

    def encodes(self, encoding: Encoding) -> bool:
        """Whether it is asked for, for all categories or for a column."""
        rules = [self.category, *(column.category for column in self.columns.values())]
        return any(rule is not None and rule.encoding is encoding for rule in rules)


@settings
class Imbalance:
    """How unequal classes are evened out, among training rows only. Probabilities shift with it: calibrate them.

    Attributes:
        kind: `class_weight`: rows of the rarer class weigh more. `under`: rows of the other one are dropped at random.
            `over`: its rows are repeated at random. `smote`, `adasyn`: rows are made between two neighbours of it, with
            numbers between theirs, and levels, whole numbers, booleans and nulls of the nearer one.
        ratio (share): rows (`class_weight`: weight) of the rarer class / of the other one afterwards, above 0 and at
            most 1. Classes that are as near as that already are left as they are. Of several classes: of each rarer one
            / of the most frequent one, and for `under` of the rarest one / of each other.
        neighbours (rows): for `smote` and `adasyn`; fewer where the rarer class has no more rows.
    """

    kind: ImbalanceKind = ImbalanceKind.NONE
    ratio: Share = 1.0
    neighbours: Count = 5
