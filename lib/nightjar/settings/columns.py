"""Settings of how one column becomes an estimator's numbers, by its type. None always means: as the estimator needs."""

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, Real, Whole
from nightjar.settings.validation import settings


class FeatureType(Choice):
    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text"


class Missing(Choice):
    KEEP = "keep"
    MEAN = "mean"
    MEDIAN = "median"
    MODE = "mode"
    CONSTANT = "constant"
    KNN = "knn"
    ITERATIVE = "iterative"


class Scale(Choice):
    NONE = "none"
    STANDARD = "standard"
    MIN_MAX = "min_max"
    ROBUST = "robust"


class Shape(Choice):
    LOG = "log"
    SIGNED_LOG = "signed_log"
    POWER = "power"


class Bins(Choice):
    QUANTILE = "quantile"
    UNIFORM = "uniform"
    EDGES = "edges"


class Encoding(Choice):
    ONE_HOT = "one_hot"
    ORDINAL = "ordinal"
    TARGET = "target"
    FREQUENCY = "frequency"
    HASHING = "hashing"
    NATIVE = "native"


class MissingLevel(Choice):
    MODE = "mode"
    UNKNOWN = "unknown"


class Weighting(Choice):
    TFIDF = "tfidf"
    HASHING = "hashing"


class Grams(Choice):
    WORD = "word"
    CHARACTER = "character"


@settings
class Number:
    """What happens to numbers, in this order: winsorise, shape, then missing and scale, or missing and bins.

    What is beyond 3.4e38 (float32) after the shape, without bins, stops the fit or the night.

    Attributes:
        winsorise (share): this share of the training values at each end is moved to its quantile, such as 0.01.
        shape: `log`: log(1 + x), x at least 0; `signed_log`: sign(x) log(1 + |x|); `power`: Yeo-Johnson,
            about the median where values lie far from 0 or close together.
        missing: what a null becomes. None: the median for what needs complete numbers, `keep` for trees. `knn` and
            `iterative` look at the other columns of the same settings, after scaling (`standard` unless set).
        constant (the column's): for missing=constant.
        neighbours (rows): for missing=knn: rows that are averaged; as many as there are, if fewer.
        indicator: a column that says where a null was replaced, if training had any; without bins.
        scale: None: `standard` for what needs numbers of about the same size, `none` for trees.
        bins: the number's bin instead of the number: a column each for what needs complete numbers (a null is a bin
            of its own), its place for trees. Values beyond the training ones are in the first or last bin.
        bin_count (bins): for `quantile` and `uniform`: bins at most; equal quantiles make fewer.
        edges (the column's): for `edges`: inner edges, ascending; n of them make n + 1 bins, each without its upper
            edge.
    """

    winsorise: Annotated[Real, Field(gt=0, lt=0.5)] | None = None
    shape: Shape | None = None
    missing: Missing | None = None
    constant: Real = 0.0
    neighbours: Count = 5
    indicator: bool = True
    scale: Scale | None = None
    bins: Bins | None = None
    bin_count: Annotated[Whole, Field(ge=2)] = 5
    edges: list[Real] = field(default_factory=list)

    def issues(self) -> Iterator[Issue]:
        """Whether bins have what they need and nothing that they would undo."""
        ascending = all(low < high for low, high in zip(self.edges, self.edges[1:], strict=False))
        expected = "ascending inner edges for bins=edges, none otherwise"
        yield from expect((self.bins is Bins.EDGES) == bool(self.edges) and ascending, "edges", self.edges, expected)
        if self.bins is not None:
            yield from expect(self.scale is None, "scale", str(self.scale), "none with bins: a bin has no size")
            joint = self.missing in (Missing.KNN, Missing.ITERATIVE)
            yield from expect(
                not joint, "missing", str(self.missing), "none, or a value of the column itself, with bins"
            )


@settings
class Category:
    """What happens to categories.

    Attributes:
        encoding: None: `one_hot` for what needs complete numbers, `ordinal` (the place in code point order) for trees.
            `target`: the mean label of the level's training rows, of several classes the share of each among them,
            cross-fitted on the inner splits. `frequency`: the share of training rows. `hashing`: one of `buckets`
            columns by a hash of the level. `native`: for `boosting` (of 255 levels at most), `lightgbm` and `xgboost`,
            whose trees part sets of levels; one that training has not seen counts as null, and `scores.unseen_levels`
            tells it.
        missing: `mode`: a null becomes the most frequent level, `unknown`: the level "unknown". None: a level of its
            own, but NaN for `native`, and for `ordinal` to a tree, and none of the buckets for `hashing`.
        min_frequency (rows): for `one_hot` and `ordinal`: levels with fewer training rows share one place. None: 10 for
            `one_hot`, 1 for `ordinal`.
        max_categories (levels): for `one_hot` and `ordinal`: levels at most, the most frequent ones, the shared place
            among them. None: 64 for `one_hot`, no limit for `ordinal`.
        pseudo_count (rows): for `target`: the mean is drawn to that of all rows with the weight of so many rows.
        buckets (columns): for `hashing`: columns.
    """

    encoding: Encoding | None = None
    missing: MissingLevel | None = None
    min_frequency: Count | None = None
    max_categories: Annotated[Whole, Field(ge=2)] | None = None
    pseudo_count: Annotated[Real, Field(ge=0)] = 10.0
    buckets: Annotated[Whole, Field(ge=2)] = 32

    def issues(self) -> Iterator[Issue]:
        """Whether rare levels are grouped only where they can be."""
        groups = self.encoding in (None, Encoding.ONE_HOT, Encoding.ORDINAL)
        for name, value in (("min_frequency", self.min_frequency), ("max_categories", self.max_categories)):
            yield from expect(groups or value is None, name, value, "none: only one_hot and ordinal group rare levels")


MOST_DENSE_TERMS = 4096
"""Columns of one text without `components`: the array is dense, 8 bytes a number, 32 KiB a row at this bound."""


@settings
class Text:
    """What happens to free text: upper and lower case count as the same, a null as no text.

    Attributes:
        weighting: `tfidf`: a column for each of the most frequent terms; `hashing`: one for each hash of a term.
        grams: words (of two letters or more), or characters within words.
        shortest (words or characters): words or characters of a term at least.
        longest (words or characters): words or characters of a term at most.
        terms (columns): columns at most for `tfidf`, exactly for `hashing`.
        components (dimensions): dimensions that the terms are reduced to by truncated SVD. None: the terms are used as
            they are.
    """

    weighting: Weighting = Weighting.TFIDF
    grams: Grams = Grams.WORD
    shortest: Count = 1
    longest: Count = 1
    terms: Count = 256
    components: Count | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether ranges are ranges, and the columns few enough."""
        yield from expect(
            1 <= self.shortest <= self.longest, "shortest", self.shortest, f"1 to longest ({self.longest})"
        )
        most = MOST_DENSE_TERMS if self.components is None else 2**20
        yield from expect(1 <= self.terms <= most, "terms", self.terms, f"1 to {most}; give components to use more")
        some = self.components is None or 1 <= self.components <= min(self.terms, MOST_DENSE_TERMS)
        yield from expect(some, "components", self.components, f"1 to {min(self.terms, MOST_DENSE_TERMS)}, or none")


@settings
class ColumnPreparation:
    """One column's own settings, which stand in for all of its type's.

    Attributes:
        type: what the column is taken for. A number may be a category, a string column a category or a text. None:
            what the settings are of.
        number: for a number.
        category: for a category.
        text: for a text.
    """

    type: FeatureType | None = None
    number: Number | None = None
    category: Category | None = None
    text: Text | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether it says something, of one type."""
        types = self._types_with_settings()
        names = [kind.value for kind in types]
        yield from expect(len(types) <= 1, "type", names, "settings of one type")
        fits = self.type is None or types in ([], [self.type])
        yield from expect(fits, "type", str(self.type), f"the type of the settings, {names}")
        yield from expect(self.type is not None or bool(types), "type", None, "a type, or settings of one")

    def declared(self) -> FeatureType:
        """What the column is taken for."""
        return self.type or self._types_with_settings()[0]

    def _types_with_settings(self) -> list[FeatureType]:
        return [kind for kind in FeatureType if getattr(self, kind.value) is not None]
