"""Reasons for scores: of many rows at once the features that add most, each with its value, usual range and a text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.explanation.contributions import Contributions
from nightjar.explanation.sampled import explain
from nightjar.explanation.sum_check import require_sums
from nightjar.masking.showing import show
from nightjar.masking.values import Masking
from nightjar.models.predictor import Predictor
from nightjar.settings.serving.reasons import Adverse, Reasons

Floats = npt.NDArray[np.float64]

CHUNK_ROWS = 20_000
"""Rows that are explained at once: trees are prepared anew for each chunk, and its contributions are in memory."""
DECIMALS = 9
"""To which contributions are rounded: of these no row depends on those that it is explained with."""
IN_ERRORS = 2
"""A sampled contribution counts from so many standard errors on."""


@dataclass(frozen=True)
class Reason:
    """One reason for a score, as the table `scores` holds it.

    Attributes:
        feature: the column.
        value: the row's, in words; `masking.values.MASK` of a sensitive one.
        contribution: what it adds to the raw score.
        usual: the range in which training rows usually lie, in words; None: not known, or not to be seen.
        text: for people; of a decision against somebody the declared wording.
    """

    feature: str
    value: str
    contribution: float
    usual: str | None
    text: str


@dataclass(frozen=True, eq=False)
class Wording:
    """How reasons are put into words.

    Attributes:
        settings: names of features, the wording of decisions against somebody, and how many reasons there are at most.
        usual: feature -> its usual range in words.
        masking: hides values.
    """

    settings: Reasons
    usual: Mapping[str, str]
    masking: Masking

    def text(self, feature: str, value: str, *, raises: bool) -> str:
        """What a reviewer reads.

        Example:
            >>> words = Wording(Reasons(names={"load": "Load of the day"}), {"load": "20 to 60"}, Masking())
            >>> words.text("load", "93", raises=True)
            'Load of the day: 93, usually 20 to 60; raises the score'
        """
        usual = self.usual_of(feature)
        beside = "" if usual is None else f", usually {usual}"
        name = self.settings.names.get(feature, feature)
        return f"{name}: {value}{beside}; {'raises' if raises else 'lowers'} the score"

    def usual_of(self, feature: str) -> str | None:
        """The usual range of a feature, if people may see it."""
        return None if self.masking.hides(feature) else self.usual.get(feature)


def reasons(
    predictor: Predictor,
    rows: pa.Table,
    served: Floats,
    predicted: npt.NDArray[np.intp],
    is_adverse: npt.NDArray[np.bool_],
    background: pa.Table,
    wording: Wording,
) -> Iterator[list[Reason]]:
    """The reasons for the score of each row, the most important first; of several classes for the predicted one.

    Args:
        predictor: the model.
        rows: the features of the rows.
        served: their scores, of several classes (rows, classes).
        predicted: the number of the class that each row is predicted to have; of other tasks all 0.
        is_adverse: whether each row is decided against: only what makes its score worse is a reason then.
        background: other rows, for sampled contributions.
        wording: how they are put into words.

    Raises:
        ModelError: contributions do not sum to the served scores, or a table does not fit the model.
    """
    for start in range(0, rows.num_rows, CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        table = rows.slice(start, CHUNK_ROWS)
        parts = explain(predictor, table, background)
        require_sums(predictor, table, parts, served[part])
        values, errors = _of_output(parts, _outputs(predictor, predicted[part]))
        columns = [table[name].to_pylist() for name in parts.columns]
        for row, adverse in enumerate(is_adverse[part].tolist()):
            error = None if errors is None else errors[row]
            ranked = _ranked(values[row], error, wording.settings.adverse.scores if adverse else None)
            yield _worded(ranked, values[row], parts.columns, [one[row] for one in columns], wording, adverse=adverse)


def _outputs(predictor: Predictor, predicted: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The output of each row that is explained, that of its class; -1: no training row had it."""
    if not predictor.classes:
        return np.zeros(len(predicted), np.intp)
    is_seen = predictor.is_seen()
    return np.asarray(np.where(is_seen, np.cumsum(is_seen) - 1, -1)[predicted], np.intp)


def _of_output(parts: Contributions, output: npt.NDArray[np.intp]) -> tuple[Floats, Floats | None]:
    """The contributions to one output of each row, and their errors; nothing adds to an output that there is not."""
    row = np.arange(len(output))
    values = np.where((output >= 0)[:, np.newaxis], parts.values[row, output], 0.0).round(DECIMALS)
    return values, None if parts.error is None else parts.error[row, output]


def _ranked(values: Floats, error: Floats | None, adverse: Adverse | None) -> list[int]:
    """The places of the columns that are reasons, the most important first; of equal ones the model's first."""
    size = np.abs(values)
    counts = size > (0.0 if error is None else IN_ERRORS * error)
    if adverse is not None:
        counts &= (values > 0) if adverse is Adverse.HIGH else (values < 0)
    order = np.argsort(-size, kind="stable")
    return [int(place) for place in order if counts[place]]


def _worded(
    ranked: list[int], values: Floats, names: tuple[str, ...], row: list[Any], wording: Wording, *, adverse: bool
) -> list[Reason]:
    result: list[Reason] = []
    for place in ranked:
        name, contribution = names[place], float(values[place])
        value = str(wording.masking.value(name, show(row[place])))
        text = wording.settings.adverse.wording.get(name) if adverse else None
        text = text or wording.text(name, value, raises=contribution > 0)
        if adverse and any(one.text == text for one in result):
            continue
        result.append(Reason(name, value, contribution, wording.usual_of(name), text))
        if len(result) == wording.settings.top:
            break
    return result
