"""What would have to differ in a row for another decision: within declared ranges, scored again before it is shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import ModelError
from nightjar.evaluation.histograms import is_text
from nightjar.models.columns import LARGEST
from nightjar.models.predictor import Predictor
from nightjar.settings.explaining import Actionable, Direction

Floats = npt.NDArray[np.float64]

VALUES = 12
"""Values of a column that are tried, at most."""
MOST_COLUMNS = 3
"""Columns that are changed at once, at most."""
HALVINGS = 12
"""Steps by which a change of a number is brought as near to the row as the decision allows."""
SHOWN = 5
"""Counterfactuals at most: each changes other columns."""


@dataclass(frozen=True)
class Counterfactual:
    """A row like the one that was scored, on the other side of a threshold.

    Attributes:
        changes: column -> the value there; all others stay.
        score: of the changed row, scored by itself.
        distance: how far it is: of each number the change in its standard deviations among other rows, 1 for a level.
    """

    changes: Mapping[str, Any]
    score: float
    distance: float


def counterfactuals(
    predictor: Predictor,
    row: pa.Table,
    background: pa.Table,
    actionable: Mapping[str, Actionable],
    threshold: float,
) -> list[Counterfactual]:
    """The nearest changes that bring a row's score to the other side of a threshold, fewest columns first.

    Of each set of up to three actionable columns, values within the declared range and direction are tried, and changes
    of numbers then made as small as the decision allows. A set with columns that do it already is left out. None: no
    change within the ranges does.

    Args:
        predictor: the model; its score is one number.
        row: the row that was scored.
        background: other rows: of their values are those that are tried.
        actionable: column -> how it may be changed.
        threshold: a score from which on the decision is another one.

    Raises:
        ModelError: the model reads none of the columns, or there are no background rows.
    """
    names = [one.name for one in predictor.features if one.name in actionable]
    if not names or not background.num_rows:
        reads = ", ".join(one.name for one in predictor.features)
        raise ModelError(
            f"No counterfactual: the model reads none of the actionable columns ({', '.join(actionable) or 'none'}), or"
            f" there are no other rows to take values from. It reads {reads}: name some in project.explain.actionable."
        )
    is_above = bool(predictor.predict(row)[0] >= threshold)
    values = {name: _values(row, background, name, actionable[name]) for name in names}
    unit = {name: _unit(_values_of(background, name)) for name in names}
    results: list[Counterfactual] = []
    for columns in _sets([name for name in names if values[name]]):
        if any(set(one.changes) <= set(columns) for one in results):
            continue
        tried = {name: values[name] for name in columns}
        nearest = _nearest(predictor, row, tried, actionable, unit, threshold, is_above=is_above)
        if nearest is not None:
            results.append(nearest)
    return sorted(results, key=lambda one: (len(one.changes), one.distance))[:SHOWN]


def _sets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(1, min(MOST_COLUMNS, len(names)) + 1):
        yield from combinations(names, size)


def _values(row: pa.Table, background: pa.Table, name: str, rule: Actionable) -> list[Any]:
    """The values to try, of the column's own type; the row's own is none of them."""
    own, column = _own(row, name), _values_of(background, name)
    if is_text(column.type):
        if rule != Actionable():
            raise ModelError(f"project.explain.actionable.{name} is of text: it can have no low, high or direction.")
        counts = column.value_counts().to_pylist()
        levels = [one["values"] for one in sorted(counts, key=lambda one: (-one["counts"], one["values"]))]
        return [level for level in levels if level != own][:VALUES]
    if pa.types.is_boolean(column.type):
        return [value for value in (False, True) if _is_allowed(value, own, rule)]
    candidates = {rule.low, rule.high}
    if len(column):
        at = np.linspace(0, 1, VALUES).tolist()
        candidates |= set(pc.quantile(column.cast(pa.float64(), safe=False), at, interpolation="nearest").to_pylist())
    numbers = {_cast(one, column.type) for one in candidates if one is not None}
    return [value for value in sorted(numbers) if _is_allowed(value, own, rule)]


def _own(row: pa.Table, name: str) -> Any:
    """The row's value; None where it is missing, which NaN is, too."""
    values = _values_of(row, name)
    return values[0].as_py() if len(values) else None


def _values_of(table: pa.Table, name: str) -> Any:
    """The column without its missing values."""
    column = table[name].drop_null()
    return column.filter(pc.invert(pc.is_nan(column))) if pa.types.is_floating(column.type) else column


def _cast(value: Any, kind: pa.DataType) -> Any:
    """The nearest number that the column can hold and models compute with: whole where the column is whole."""
    if pa.types.is_integer(kind):
        ends = np.iinfo(str(kind))
        return min(max(round(float(value)), int(ends.min)), int(ends.max))
    number = min(max(float(value), -LARGEST), LARGEST)
    return pa.scalar(number, pa.float64()).cast(kind).as_py()


def _is_allowed(value: Any, own: Any, rule: Actionable) -> bool:
    inside = (rule.low is None or value >= rule.low) and (rule.high is None or value <= rule.high)
    if own is None or not inside:
        return inside
    if value == own:
        return False
    return rule.direction is Direction.ANY or (value > own) == (rule.direction is Direction.UP)


def _unit(column: Any) -> float | None:
    """The standard deviation of a number; None of a category, and of a yes or no."""
    if is_text(column.type) or pa.types.is_boolean(column.type):
        return None
    deviation = pc.stddev(column.cast(pa.float64(), safe=False)).as_py()
    return float(deviation) if deviation else 1.0


def _nearest(
    predictor: Predictor,
    row: pa.Table,
    values: Mapping[str, Sequence[Any]],
    actionable: Mapping[str, Actionable],
    unit: Mapping[str, float | None],
    threshold: float,
    *,
    is_above: bool,
) -> Counterfactual | None:
    """The nearest change of all columns that have values to try, that changes the decision."""
    trials = [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]
    scores = predictor.predict(_changed(row, trials))
    crossing = [trial for trial, score in zip(trials, scores, strict=True) if (score >= threshold) != is_above]
    if not crossing:
        return None
    changes = min(crossing, key=lambda trial: _distance(row, trial, unit))
    for name in values:
        near = _own(row, name)
        if unit[name] is not None and near is not None:
            near = _within(float(near), actionable[name])
            changes = _closer(predictor, row, changes, name, near, threshold, is_above=is_above)
    score = float(predictor.predict(_changed(row, [changes]))[0])
    if (score >= threshold) == is_above:
        return None
    return Counterfactual(changes, score, _distance(row, changes, unit))


def _within(number: float, rule: Actionable) -> float:
    """The nearest number in the declared range."""
    number = number if rule.low is None else max(number, rule.low)
    return number if rule.high is None else min(number, rule.high)


def _closer(
    predictor: Predictor,
    row: pa.Table,
    changes: dict[str, Any],
    name: str,
    near: float,
    threshold: float,
    *,
    is_above: bool,
) -> dict[str, Any]:
    """The changes with one number as near to `near` as the decision allows, by halving the way."""
    kind, far = row.schema.field(name).type, float(changes[name])
    best = changes
    for _ in range(HALVINGS):
        middle = _cast((near + far) / 2, kind)
        trial = changes | {name: middle}
        if (float(predictor.predict(_changed(row, [trial]))[0]) >= threshold) == is_above:
            near = float(middle)
        else:
            far, best = float(middle), trial
    return best


def _distance(row: pa.Table, changes: Mapping[str, Any], unit: Mapping[str, float | None]) -> float:
    total = 0.0
    for name, value in changes.items():
        own, deviation = _own(row, name), unit[name]
        total += 1.0 if deviation is None or own is None else abs(float(value) - float(own)) / deviation
    return total


def _changed(row: pa.Table, trials: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The row once for each trial, with its values."""
    table = row.take(np.zeros(len(trials), dtype=np.int64))
    for name in trials[0]:
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        table = table.set_column(place, field, pa.array([trial[name] for trial in trials], field.type))
    return table
