"""What columns of a reference are together: a sample of its rows, and how far its own nights are from such samples.

Each of the last nights is compared with a sample of the rows that lie as many days before it as the longest window of
the features, as tonight's are with the whole reference. Texts stand as the numbers of their levels, as bins have them.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import Bins, bin_numbers
from nightjar.evaluation.multivariate import FEWEST, Comparison, compare, fit_components, sampled, separability
from nightjar.evaluation.rows import Floats

SEPARABILITY, MISSED = "separability", "missed"
NIGHTS = 39
"""Nights of the reference that tonight is taken among: it is beyond all of them by chance in 1 of 40."""
_LEAST_ROWS = 100
Levels: TypeAlias = Mapping[str, tuple[str, ...] | None]
"""Column -> its levels in order; None: its values are numbers."""


@dataclass(frozen=True, eq=False)
class JointReference:
    """A sample of a reference and the figures of its nights.

    Attributes:
        levels: of each column.
        sample: (rows, columns).
        nights: `SEPARABILITY` and `MISSED` -> the figures of nights, see `multivariate`.
    """

    levels: Levels
    sample: Floats
    nights: Mapping[str, tuple[float, ...]]

    def compare(self, rows: pa.Table) -> dict[str, Comparison]:
        """Both figures of a night's rows, which have the columns, among those of the reference's nights.

        Raises:
            LearningError: fewer than 10 rows.
        """
        figures = _figures(_encode(rows, self.levels), self.sample)
        return {name: compare(value, self.nights[name]) for name, value in figures.items()}

    def to_json(self) -> str:
        """One line from which `from_json` makes the same; about 10 kB a column."""
        packed = base64.b64encode(zlib.compress(self.sample.astype("<f4").tobytes())).decode()
        levels = {name: None if own is None else list(own) for name, own in self.levels.items()}
        return json.dumps({"levels": levels, "sample": packed, "nights": self.nights}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "JointReference":
        """What `to_json` wrote.

        Raises:
            LearningError: the text is something else.
        """
        try:
            stored = json.loads(text)
            levels = {name: None if own is None else tuple(own) for name, own in stored["levels"].items()}
            content = zlib.decompress(base64.b64decode(stored["sample"]))
            sample = np.frombuffer(content, "<f4").astype(np.float64).reshape(-1, len(levels))
            return cls(levels, sample, {name: tuple(own) for name, own in stored["nights"].items()})
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise LearningError(f"This is not a joint reference written by to_json: {text[:200]!r}.") from error


def fit_joint_reference(
    rows: pa.Table, days: npt.NDArray[np.datetime64], levels: Levels, gap_days: int
) -> JointReference | None:
    """The joint reference of rows; None where there are too few nights.

    Args:
        rows: of the reference.
        days: of each row, ascending.
        levels: of the columns that are compared.
        gap_days: the longest window of the features.
    """
    nights: dict[str, list[float]] = {SEPARABILITY: [], MISSED: []}
    for day in np.unique(days)[-NIGHTS:]:
        first, last = np.searchsorted(days, [day, day + np.timedelta64(1, "D")])
        before = int(np.searchsorted(days, day - np.timedelta64(max(gap_days, 1) - 1, "D")))
        if before < _LEAST_ROWS or last - first < FEWEST:
            continue
        night, past = (_encode(_sample(rows, *part), levels) for part in ((first, last), (0, before)))
        for name, value in _figures(night, past).items():
            nights[name].append(value)
    if len(nights[MISSED]) < NIGHTS:
        return None
    sample = _encode(_sample(rows, 0, len(rows)), levels).astype(np.float32).astype(np.float64)  # as it is stored
    return JointReference(levels, sample, {name: tuple(own) for name, own in nights.items()})


def _figures(night: Floats, reference: Floats) -> dict[str, float]:
    return {SEPARABILITY: separability(night, reference), MISSED: fit_components(reference).error(night)}


def _sample(rows: pa.Table, first: int, last: int) -> pa.Table:
    """Rows from the first to the last, of many a sample."""
    return rows.take(first + sampled(last - first))


def _encode(rows: pa.Table, levels: Levels) -> Floats:
    """(rows, columns): NaN where there is no finite number or no text; a text that is no level has the next number."""
    return np.stack([_numbers(rows[name], own) for name, own in levels.items()], axis=1)


def _numbers(column: Any, levels: tuple[str, ...] | None) -> Floats:
    if levels is not None:
        places = bin_numbers(Bins("categorical", levels=levels), column)
        return np.where(places == 0, np.nan, places - 1)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    values = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan), np.float64)
    return np.where(np.isfinite(values), values, np.nan)
