"""The stored rows that an explanation needs: a prediction, its features, and other rows beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import and_
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import ModelError, TableError
from nightjar.registry.manifest import Manifest
from nightjar.registry.tiers import columns_of_tiers
from nightjar.scoring.identity import prediction_ids
from nightjar.settings.project import Project
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

NIGHTS, ROWS_OF_NIGHT, ROWS = 28, 2_000, 20_000
"""Nights up to the run date whose rows are taken, how many of each at most, and of all of them."""
FEWEST = 30
"""Other rows beside which a row is explained, at least."""


@dataclass(frozen=True)
class Prediction:
    """A row of the table `scores`.

    Attributes:
        id: its `prediction_id`.
        row: its columns.
    """

    id: str
    row: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Background:
    """Rows of the table `features` that a model is explained by.

    Attributes:
        rows: the key, the prediction time and what the model reads.
        night: the number of each row's night, from 0, in the order of time.
    """

    rows: pa.Table
    night: npt.NDArray[np.intp]


def read_prediction(warehouse: Warehouse, run_date: date, prediction_id: str) -> Prediction:
    """A prediction of a night, as it was served rather than computed in hindsight.

    Raises:
        TableError: there is none of this id.
    """
    of_night, own, rows = pc.field("run_date") == run_date, list[dict[str, Any]](), 0
    if arrow.exists(warehouse, "scores"):
        own = arrow.read(warehouse, "scores", where=of_night & (pc.field("prediction_id") == prediction_id)).to_pylist()
        rows = len(own) or arrow.read(warehouse, "scores", ["run_date"], of_night).num_rows
    if not own:
        raise TableError(
            f"No prediction of {run_date} has prediction_id {prediction_id}: table scores has {rows:,} rows of "
            "that date. Take the id from scores.prediction_id, and run_date from the same row. Nothing was written."
        )
    return Prediction(prediction_id, min(own, key=lambda row: (not row.get("served"), row["role"] != "champion")))


def read_features(
    warehouse: Warehouse, project: Project, run_date: date, prediction: Prediction, manifest: Manifest
) -> pa.Table:
    """The features of a prediction, one row.

    Raises:
        ModelError: they are stored no more, or were built anew by other definitions.
    """
    of_night, key = _of_night(run_date, manifest), [*project.spine.key, "prediction_time"]
    own = of_night & _has(arrow.schema(warehouse, "features"), {name: prediction.row[name] for name in key})
    rows = _with_floats(arrow.read(warehouse, "features", _columns(project, manifest), own), project, manifest)
    is_own = _is_of(rows, project, prediction)
    if not is_own.any():
        stored = arrow.read(warehouse, "features", ["run_date"], of_night).num_rows
        raise ModelError(
            f"The row of prediction {prediction.id} is not among the {stored:,} rows that table features has of "
            f"{run_date} by the definitions that version {prediction.row['model_version']} was trained on: there is "
            f"nothing to explain. Build them again: jobs/build_features.py run_date={run_date}. Nothing was written."
        )
    return rows.filter(pa.array(is_own)).slice(0, 1)


def read_others(
    warehouse: Warehouse, project: Project, run_date: date, prediction: Prediction, manifest: Manifest, most: int
) -> pa.Table:
    """Other rows than that of a prediction, drawn from the newest nights up to the run date.

    Raises:
        ModelError: as `read_background`.
    """
    rows = read_background(warehouse, project, run_date, manifest, enough=most + 1).rows
    others = np.flatnonzero(~_is_of(rows, project, prediction))
    random = np.random.default_rng(0)
    return rows.take(np.sort(random.choice(others, min(len(others), most), replace=False)))


def read_background(
    warehouse: Warehouse, project: Project, run_date: date, manifest: Manifest, *, enough: int = ROWS
) -> Background:
    """Rows of nights up to the run date, some of each night, the newest first, until there are enough.

    Raises:
        ModelError: fewer than `FEWEST`.
    """
    random = np.random.default_rng(0)
    tables, rows = list[pa.Table](), 0
    for night in _nights(run_date):
        where, columns = _of_night(night, manifest), _columns(project, manifest)
        table = arrow.sample(warehouse, "features", columns, where, ROWS_OF_NIGHT, random)
        if table.num_rows:
            tables.append(_with_floats(table, project, manifest))
        rows += table.num_rows
        if rows >= enough:
            break
    if rows < FEWEST:
        raise ModelError(
            f"Too few rows to explain anything by: table features has {rows} of the {NIGHTS} nights up to {run_date} "
            f"by the definitions that the model was trained on, expected {FEWEST}. Build features of these nights, or "
            "take a later run date. Nothing was written."
        )
    tables.reverse()
    numbers = np.repeat(np.arange(len(tables)), [table.num_rows for table in tables])
    return Background(pa.concat_tables(tables), numbers)


def _nights(run_date: date) -> Iterator[date]:
    yield from (run_date - timedelta(days=back) for back in range(NIGHTS))


def _of_night(night: date, manifest: Manifest) -> pc.Expression:
    """Whether a row is of a night, and made by the model's definitions of features."""
    return (pc.field("run_date") == night) & (pc.field("definitions_hash") == manifest.definitions_hash)


def _has(schema: pa.Schema, values: Mapping[str, Any]) -> pc.Expression:
    """Whether a row has these values."""
    conditions = [
        pc.field(name).is_null() if value is None else pc.field(name) == pa.scalar(value, schema.field(name).type)
        for name, value in values.items()
    ]
    return reduce(and_, conditions)


def _is_of(rows: pa.Table, project: Project, prediction: Prediction) -> npt.NDArray[np.bool_]:
    key = rows.select([*project.spine.key, "prediction_time"])
    return np.array([one == prediction.id for one in prediction_ids(project.name, key)], dtype=np.bool_)


def _columns(project: Project, manifest: Manifest) -> list[str]:
    of_model = [*(feature.name for feature in manifest.features), *columns_of_tiers(manifest.thresholds)]
    return list(dict.fromkeys([*project.spine.key, "prediction_time", *of_model]))


def _with_floats(rows: pa.Table, project: Project, manifest: Manifest) -> pa.Table:
    """The rows with floats in place of decimal features, which a model reads as floats, too."""
    features = {feature.name for feature in manifest.features} - {*project.spine.key}
    for place, field in enumerate(rows.schema):
        if pa.types.is_decimal(field.type) and field.name in features:
            rows = rows.set_column(place, field.name, rows[field.name].cast(pa.float64(), safe=False))
    return rows
