"""Whether a night differs from its reference more than the reference's own nights differ from each other.

Rows of one night share its weather, so that tests which take rows as independent find drift on every night. Here the
null distribution of a distance is made of the reference's nights: each is compared with the nights that lie at least as
many days before it as tonight lies after the reference, and never fewer than the longest window of the features.
Its counts are drawn down to tonight's number of rows. So the null has in it how nights differ, how far things move with
time, and what chance does to few rows; rows beyond those of its nights prove nothing more.

Of each column the distance of its values, of its share of nulls, and of levels of the share of new ones is looked at.
Distances are centred by their weekday and studentised, each by nights of other 28-day blocks, as tonight is by nights
that are past. Means over the last nights, of values that are cut off so that one night alone is no trend, find small
changes that last. The family is the greatest of all columns and spans: its distribution over the null's nights gives
the chance that *any* column is so far on a night without a change, and beyond the nights that there are a generalised
Pareto tail.

Source: Westfall and Young (1993), Resampling-Based Multiple Testing, Wiley, section 2.3, for the greatest of
studentised statistics; see `tails` for the tail.
"""

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from nightjar.errors import LearningError
from nightjar.evaluation.divergences import OF_SHARES
from nightjar.evaluation.histograms import Counts
from nightjar.evaluation.judgements import ACT, WATCH, ColumnJudgement, NightJudgement, greatest_of, state_of
from nightjar.evaluation.null_groups import groups_of, merge_nights, stack_counts
from nightjar.evaluation.packing import pack, unpack
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.evaluation.window_yardsticks import Fitted
from nightjar.evaluation.yardsticks import (
    ASPECTS,
    Nights,
    Yardstick,
    distances_of,
    fit_yardstick,
    lag_within,
    weekdays,
)


@dataclass(frozen=True, eq=False)
class Null:
    """The nights of a reference, in groups of bins: all that is needed to judge a night of any size and age.

    Attributes:
        dates: ascending, (nights,).
        gap_days: the longest window of the features: nights are compared at this distance in time at least.
        oldest_days: and at this one at most.
        measure: a name in `divergences.OF_SHARES`.
        groups: the group of each bin, by column.
        counts: rows by night and group, (nights, groups), by column.
        numbers: the columns that have no levels, and so no new ones.
        windows: what is usual of windows, as far as they were asked for, see `windows`.
    """

    dates: Nights
    gap_days: int
    oldest_days: int
    measure: str
    groups: Mapping[str, RowNumbers]
    counts: Mapping[str, Counts]
    numbers: frozenset[str] = frozenset()
    windows: Fitted = field(default_factory=dict, repr=False)
    _fitted: dict[tuple[int, int, tuple[str, ...]], Yardstick] = field(default_factory=dict, repr=False)

    def judge(
        self,
        night: date,
        lag_days: int,
        counts: Mapping[str, npt.ArrayLike],
        reference: Mapping[str, npt.ArrayLike],
        history: Mapping[str, Sequence[float]],
        *,
        share: float = 1.0,
    ) -> NightJudgement:
        """Judge a night. All columns count the same rows; where they do not, the fewest rows decide.

        Args:
            night: its date.
            lag_days: days from the last night of the reference to it.
            counts: of each column tonight, in the bins of the reference. Others are not judged.
            reference: what tonight is compared with: counts of the whole reference.
            history: `studentised` of each column on the nights before, of the same reference, the latest last.
            share: of the false alarms that are allowed, what these columns may spend: 0.5 where two nulls judge a
                night.

        Raises:
            LearningError: counts of other bins.
        """
        judged = [name for name in self.counts if name in counts and name in reference]
        sides = {name: (self.merge(name, reference[name]), self.merge(name, counts[name])) for name in judged}
        compared = tuple(name for name, (expected, actual) in sides.items() if expected.sum() and actual.sum())
        distances = self._distances(compared, [sides[name] for name in compared])
        by_column = {name: ColumnJudgement(None) for name in judged}
        by_column |= {name: ColumnJudgement(float(one)) for name, one in zip(compared, distances[0], strict=True)}
        rows = min((int(sides[name][1].sum()) for name in compared), default=0)
        yardstick = self._yardstick(lag_days, rows, compared)
        if yardstick is None:
            return NightJudgement(by_column)
        weekday = int(weekdays(np.array([night], "datetime64[D]"))[0])
        studentised = (distances - yardstick.centres[..., weekday]) / yardstick.scales
        tail = yardstick.tail
        for place, name in enumerate(compared):
            own = studentised[:, place]
            greatest, span, aspect = greatest_of(own, history.get(name, ()), yardstick.span_scales[place])
            p, distance = tail.p(greatest), by_column[name].distance
            by_column[name] = ColumnJudgement(distance, float(own[0]), greatest, span, p, state_of(p, share), aspect)
        maximum = max(one.greatest for one in by_column.values() if one.greatest is not None)
        p = tail.p(maximum)
        return NightJudgement(
            by_column,
            maximum,
            p,
            1 - (1 - p) ** 30,
            state_of(p, share),
            tail.reach(WATCH * share),
            tail.reach(ACT * share),
            yardstick.nights,
            yardstick.lag_days,
        )

    def to_json(self) -> str:
        """One line from which `from_json` makes the same null: about 3 kB a column for 270 nights."""
        columns = {
            name: {"groups": self.groups[name].tolist(), "counts": pack(self.counts[name])} for name in self.counts
        }
        return json.dumps(
            {
                "dates": [str(one) for one in self.dates],
                "gap_days": self.gap_days,
                "oldest_days": self.oldest_days,
                "measure": self.measure,
                "columns": columns,
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str, numbers: Collection[str] = ()) -> "Null":
        """The null that `to_json` wrote.

        Args:
            text: that line.
            numbers: as in `fit_null`; the line does not have them, as the bins of the columns say them.

        Raises:
            LearningError: the text is something else.
        """
        try:
            stored = json.loads(text)
            dates = np.array(stored["dates"], "datetime64[D]")
            columns = stored["columns"]
            groups = {name: np.array(one["groups"], np.intp) for name, one in columns.items()}
            counts = {name: unpack(one["counts"], len(dates)) for name, one in columns.items()}
            own = frozenset(numbers)
            return cls(dates, stored["gap_days"], stored["oldest_days"], stored["measure"], groups, counts, own)
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise LearningError(f"This is not a null written by to_json: {text[:200]!r}.") from error

    def merge(self, name: str, counts: npt.ArrayLike) -> Counts:
        """Counts of a column by group; errors as in `judge`."""
        one, groups = np.asarray(counts), self.groups[name]
        if one.shape != groups.shape:
            raise LearningError(f"{name!r}: counts of the shape {one.shape}, but its null has {len(groups)} bins.")
        return np.bincount(groups, weights=one).astype(np.int64)

    def _distances(self, names: Sequence[str], sides: Sequence[tuple[Counts, Counts]]) -> Floats:
        """Of each aspect and column, (aspects, columns)."""
        if not names:
            return np.zeros((len(ASPECTS), 0))
        expected, actual = (stack_counts([one[None] for one in side])[:, 0] for side in zip(*sides, strict=True))
        return distances_of(expected, actual, OF_SHARES[self.measure], self._have_levels(names))

    def _have_levels(self, names: Sequence[str]) -> npt.NDArray[np.bool_]:
        return np.array([name not in self.numbers for name in names], np.bool_)

    def comparison(self, lag_days: int, rows: int, names: Collection[str]) -> tuple[int, int] | None:
        """The distance in time at which a night is compared, rounded up to weeks beyond the gap, and for how many rows,
        rounded down to steps of 4%, so that the next nights are compared alike; None: there are too few nights.
        """
        oldest = max(self.oldest_days, self.gap_days, 1)
        lag = lag_within(self.dates, min(self.gap_days + max(0, -(-(lag_days - self.gap_days) // 7)) * 7 or 1, oldest))
        if not names or lag is None or lag < self.gap_days:
            return None
        most = max(int(self.counts[name].sum(axis=1).max()) for name in names)
        return lag, most if rows >= most else int(2 ** (np.floor(16 * np.log2(rows)) / 16))

    def _yardstick(self, lag_days: int, rows: int, names: tuple[str, ...]) -> Yardstick | None:
        """What is usual there."""
        compared = self.comparison(lag_days, rows, names)
        if compared is None:
            return None
        key = (*compared, names)
        if key not in self._fitted:
            stack = stack_counts([self.counts[name] for name in names])
            distance, have_levels = OF_SHARES[self.measure], self._have_levels(names)
            self._fitted[key] = fit_yardstick(self.dates, stack, *compared, distance, have_levels)
        return self._fitted[key]


def fit_null(
    dates: Sequence[date],
    nights: Mapping[str, npt.ArrayLike],
    *,
    gap_days: int,
    oldest_days: int,
    measure: str = "jensen_shannon",
    numbers: Collection[str] = (),
) -> Null:
    """The null of a reference's own nights.

    Numeric columns of many bins are merged to about 10 groups of equal mass, nulls and both ends apart; columns of
    levels likewise, from the most frequent one on. Bins of at most 20 stay as they are. Nights without rows are left
    out. Leave out columns that the prediction time alone determines: they are the same in every year, and differ from
    any reference of less than one.

    Args:
        dates: one a night, ascending.
        nights: counts by night, (nights, bins), in the layout of `histograms`, by column.
        gap_days: the longest window of the features.
        oldest_days: the greatest age of a model: at older ages nights are judged as at this one.
        measure: a name in `divergences.OF_SHARES`.
        numbers: the columns that have no levels: values beyond theirs are no aspect by itself.

    Raises:
        LearningError: dates that do not ascend, counts of other nights, or another measure.

    Example:
        Two hundred nights of 500 rows that vary a little; then one on which every second row is null.

        >>> from datetime import timedelta
        >>> random = np.random.default_rng(0)
        >>> dates = [date(2024, 1, 1) + timedelta(days) for days in range(200)]
        >>> counts = random.multinomial(500, random.dirichlet([1e-9, 100, 200, 1e-9], size=200))
        >>> null = fit_null(dates, {"speed": counts}, gap_days=7, oldest_days=60)
        >>> reference = {"speed": counts.sum(axis=0)}
        >>> null.judge(date(2024, 8, 1), 14, {"speed": [0, 170, 330, 0]}, reference, {}).state
        'ok'
        >>> null.judge(date(2024, 8, 1), 14, {"speed": [250, 85, 165, 0]}, reference, {}).state
        'act'
    """
    nights_of = np.asarray(dates, "datetime64[D]")
    stacks = {name: np.asarray(one, np.int64) for name, one in nights.items()}
    if (np.diff(nights_of) <= np.timedelta64(0, "D")).any():
        raise LearningError("The nights of a null must ascend, each once.")
    if measure not in OF_SHARES:
        raise LearningError(f"The measure {measure!r} is none of {', '.join(OF_SHARES)}.")
    for name, one in stacks.items():
        if one.ndim != 2 or len(one) != len(nights_of) or (one < 0).any():
            raise LearningError(
                f"{name!r}: counts of the shape {one.shape} are not (nights, bins) of {len(nights_of)}."
            )
    has_rows = np.all([one.sum(axis=1) > 0 for one in stacks.values()], axis=0)
    groups = {name: groups_of(one.sum(axis=0)) for name, one in stacks.items()}
    counts = {name: merge_nights(one[has_rows], groups[name]) for name, one in stacks.items()}
    return Null(nights_of[has_rows], gap_days, oldest_days, measure, groups, counts, frozenset(numbers))
