"""What wrong decisions cost in each training row: one number for all, or amounts in a column of the feature table."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.rows import Floats
from nightjar.learning.data.training_set import TrainingSet
from nightjar.masking.values import in_words
from nightjar.settings.costs import Amount
from nightjar.settings.project import Project
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

SHOWN = 3
"""How many rows are named."""


@dataclass(frozen=True, eq=False)
class Prices:
    """The costs of wrong decisions in each training row, in their order.

    Attributes:
        missed: of a true row that is not acted on.
        false_alarm: of a false row that is acted on.
    """

    missed: Floats
    false_alarm: Floats


def read_prices(warehouse: Warehouse, project: Project, rows: TrainingSet) -> Prices | None:
    """The costs of wrong decisions in the training rows; None where the project states none.

    Amounts are read from the version of the feature table that the rows are of.

    Raises:
        LearningError: the feature table lacks a column of amounts, or an amount is no number of 0 or more.
    """
    missed, false_alarm = project.costs.missed, project.costs.false_alarm
    if missed is None or false_alarm is None:
        return None
    return Prices(_prices(warehouse, rows, "missed", missed), _prices(warehouse, rows, "false_alarm", false_alarm))


def _prices(warehouse: Warehouse, rows: TrainingSet, name: str, price: float | Amount) -> Floats:
    if not isinstance(price, Amount):
        return np.full(len(rows.label), price)
    where, column = f"project.costs.{name}.column", price.column
    schema = arrow.schema(warehouse, "features", rows.versions["features"])
    kind = schema.field(column).type if column in schema.names else None
    if kind is None or not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        stored = "does not have" if kind is None else f"has as {kind}"
        raise LearningError(
            f"{where}: {column}, which table features {stored}: expected a column of numbers. Add it to the spine "
            "(project.spine.keep) and build features, or name another one."
        )
    return _in_order(warehouse, rows, column, where)


def _in_order(warehouse: Warehouse, rows: TrainingSet, column: str, where: str) -> Floats:
    """The amounts in the order of the rows."""
    key, last = rows.key.column_names, rows.day.max().astype(object)
    amount = "_amount"  # the column may be one of the key
    stored = _read(warehouse, [*key, column], last, rows.versions["features"])
    stored = stored.select(key).append_column(amount, stored[column].cast(pa.float64(), safe=False))
    numbered = rows.key.append_column("_row", pa.array(np.arange(len(rows.label))))
    amounts: Floats = np.asarray(
        numbered.join(stored, key, join_type="left outer").sort_by("_row")[amount].to_numpy(), dtype=np.float64
    )
    strange = np.flatnonzero(~(np.isfinite(amounts) & (amounts >= 0)))
    if len(strange):
        shown = "; ".join(map(in_words, rows.key.take(strange[:SHOWN]).to_pylist()))
        values = ", ".join("null" if np.isnan(one) else f"{one:g}" for one in np.unique(amounts[strange])[:SHOWN])
        raise LearningError(
            f"{where}: column {column} of table features holds {values} in {len(strange):,} of {len(amounts):,} "
            f"labelled rows ({shown}{' and others' if len(strange) > SHOWN else ''}): expected an amount of 0 or more. "
            "Correct them in their source, or name a derived column that has none of them (project.spine.derived)."
        )
    return amounts


def _read(warehouse: Warehouse, columns: list[str], last: date, version: int) -> pa.Table:
    return arrow.read(warehouse, "features", list(dict.fromkeys(columns)), pc.field("run_date") <= last, version)
