"""Settings of the preparation: how features become an estimator's numbers, and how unequal classes are evened out."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from nightjar.settings.checks import require
from nightjar.settings.columns import Category, ColumnPreparation, Encoding, Number, Text


class SelectionKind(Enum):
    VARIANCE = "variance"
    CORRELATION = "correlation"
    VIF = "vif"
    MUTUAL_INFORMATION = "mutual_information"
    ANOVA = "anova"
    CHI_SQUARED = "chi_squared"
    RFE = "rfe"
    L1 = "l1"
    TREE_IMPORTANCE = "tree_importance"


class MakerKind(Enum):
    CLUSTER = "cluster"
    CLUSTER_DISTANCES = "cluster_distances"
    ISOLATION = "isolation"
    COMPONENTS = "components"


class ImbalanceKind(Enum):
    NONE = "none"
    CLASS_WEIGHT = "class_weight"
    UNDER = "under"
    OVER = "over"
    SMOTE = "smote"
    ADASYN = "adasyn"


THRESHOLDS = {SelectionKind.VARIANCE: 0.0, SelectionKind.CORRELATION: 0.95, SelectionKind.VIF: 10.0}
"""Where none is set."""


@dataclass
class Selection:
    """Which of the prepared columns are left. Where there are nulls, they are judged with the median in their place.

    Attributes:
        kind: `variance`: above the threshold. `correlation`: the later one of each pair above it (absolute) goes.
            `vif`: the column with the greatest variance inflation factor goes, until none is above it.
            `mutual_information`, `anova` (the F statistic), `chi_squared` (columns of 0 or more, classification),
            `rfe` (a linear model's smallest weight goes, again and again), `tree_importance` (of a random forest): the
            best `keep` columns. `l1`: those with a weight in a linear model under that penalty.
        threshold: for `variance` (None: 0), `correlation` (0.95) and `vif` (10).
        keep: for the kinds that rank columns: how many are left; all, if there are no more.
        penalty: for `l1`: of the sum of absolute weights, beside the mean loss of a row.
    """

    kind: SelectionKind = MISSING
    threshold: float | None = None
    keep: int | None = None
    penalty: float = 0.01

    def __post_init__(self) -> None:
        """Check that the kind has what it needs and nothing else."""
        limit, has_threshold = self.threshold, self.kind in THRESHOLDS
        usable = limit is None or (has_threshold and limit >= 0)
        require(usable, "threshold", limit, f"0 or more, or none; {[kind.name for kind in THRESHOLDS]} have one")
        ranks = not has_threshold and self.kind is not SelectionKind.L1
        expected = "at least 1" if ranks else "none: only kinds that rank columns have it"
        require(self.keep is not None and self.keep >= 1 if ranks else self.keep is None, "keep", self.keep, expected)
        require(self.penalty > 0, "penalty", self.penalty, "more than 0")


@dataclass
class Maker:
    """Columns made of all prepared ones, which stay beside them. Nulls count as the median, all sizes as equal.

    Attributes:
        kind: `cluster`: a column for each of `count` k-means clusters, 1 for the nearest. `cluster_distances`: the
            distance to each centre. `isolation`: how easily a forest of `count` trees sets the row apart, 0 to 1.
            `components`: the first `count` principal components, of no more columns than there are.
        count: of clusters, trees or components.
    """

    kind: MakerKind = MISSING
    count: int = 8

    def __post_init__(self) -> None:
        """Check the count."""
        require(self.count >= 2, "count", self.count, "at least 2")


@dataclass
class Preparation:
    """How features become an estimator's numbers; fitted on training rows only. The default: as the estimator needs.

    In this order: each column by its type, columns without any value dropped, columns made, selected, reduced.

    Attributes:
        number: for all numbers.
        category: for all categories (string columns).
        text: for all columns that `columns` declares a text.
        columns: column -> its own settings, or another type.
        make: columns made of all others, each kind once.
        select: one after the other.
        components: dimensions that all columns are reduced to by PCA; needs complete numbers. None: no reduction.
    """

    number: Number = field(default_factory=Number)
    category: Category = field(default_factory=Category)
    text: Text = field(default_factory=Text)
    columns: dict[str, ColumnPreparation] = field(default_factory=dict)
    make: list[Maker] = field(default_factory=list)
    select: list[Selection] = field(default_factory=list)
    components: int | None = None

    def __post_init__(self) -> None:
        """Check the number of components, and that no kind of column is made twice."""
        require(self.components is None or self.components >= 1, "components", self.components, "at least 1, or none")
        kinds = [maker.kind.name for maker in self.make]
        require(len(set(kinds)) == len(kinds), "make", kinds, "each kind once")

    def encodes(self, encoding: Encoding) -> bool:
        """Whether it is asked for, for all categories or for a column."""
        rules = [self.category, *(column.category for column in self.columns.values())]
        return any(rule is not None and rule.encoding is encoding for rule in rules)


@dataclass
class Imbalance:
    """How unequal classes are evened out, among training rows only. Probabilities shift with it: calibrate them.

    Attributes:
        kind: `class_weight`: rows of the rarer class weigh more. `under`: rows of the other one are dropped at random.
            `over`: its rows are repeated at random. `smote`, `adasyn`: rows are made between two neighbours of it, with
            numbers between theirs, and levels, whole numbers, booleans and nulls of the nearer one.
        ratio: rows (`class_weight`: weight) of the rarer class / of the other one afterwards, above 0 and at most 1.
            Classes that are as near as that already are left as they are.
        neighbours: for `smote` and `adasyn`; fewer where the rarer class has no more rows.
    """

    kind: ImbalanceKind = ImbalanceKind.NONE
    ratio: float = 1.0
    neighbours: int = 5

    def __post_init__(self) -> None:
        """Check the ranges."""
        require(0 < self.ratio <= 1, "ratio", self.ratio, "a ratio above 0 and at most 1")
        require(self.neighbours >= 1, "neighbours", self.neighbours, "at least 1")
