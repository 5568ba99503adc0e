"""The stored rows that an explanation needs: a prediction, its features, and other rows beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
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


def read_prediction(warehouse: Warehouse, run_date: date, prediction_id: str) -> Prediction:
    """A prediction of a night, as it was served rather than computed in hindsight.

    Raises:
        TableError: there is none of this id.
    """
    rows: list[dict[str, Any]] = []
    if arrow.exists(warehouse, "scores"):
        rows = arrow.read(warehouse, "scores", where=pc.field("run_date") == run_date).to_pylist()
    own = [row for row in rows if row["prediction_id"] == prediction_id]
    if not own:
        raise TableError(
            f"No prediction of {run_date} has prediction_id {prediction_id}: table scores has {len(rows):,} rows of "
            "that date. Take the id from scores.prediction_id, and run_date from the same row. Nothing was written."
        )
    return Prediction(prediction_id, min(own, key=lambda row: row["role"] != "champion"))


def read_features(
    warehouse: Warehouse, project: Project, run_date: date, prediction: Prediction, manifest: Manifest
) -> pa.Table:
    """The features of a prediction, one row.

    Raises:
        ModelError: they are stored no more, or were built anew by other definitions.
    """
    rows = _read(warehouse, project, run_date, manifest)
    key = rows.select([*project.spine.key, "prediction_time"])
    places = [place for place, one in enumerate(prediction_ids(project.name, key)) if one == prediction.id]
    if not places:
        raise ModelError(
            f"The row of prediction {prediction.id} is not among the {rows.num_rows:,} rows that table features has of "
            f"{run_date} by the definitions that version {prediction.row['model_version']} was trained on: there is "
            f"nothing to explain. Build them again: jobs/build_features.py run_date={run_date}. Nothing was written."
        )
    return rows.take(places[:1])


def read_background(
    warehouse: Warehouse, project: Project, run_date: date, manifest: Manifest, *, enough: int = ROWS
) -> pa.Table:
    """Rows of nights up to the run date, the newest first, until there are enough; with `run_date` and the key.

    Raises:
        ModelError: fewer than `FEWEST`.
    """
    random = np.random.default_rng(0)
    tables, rows = list[pa.Table](), 0
    for night in _nights(run_date):
        table = _read(warehouse, project, night, manifest)
        if table.num_rows > ROWS_OF_NIGHT:
            table = table.take(np.sort(random.choice(table.num_rows, ROWS_OF_NIGHT, replace=False)))
        tables.append(table.append_column("night", pa.array([night] * table.num_rows, pa.date32())))
        rows += table.num_rows
        if rows >= enough:
            break
    if rows < FEWEST:
        raise ModelError(
            f"Too few rows to explain anything by: table features has {rows} of the {NIGHTS} nights up to {run_date} "
            f"by the definitions that the model was trained on, expected {FEWEST}. Build features of these nights, or "
            "take a later run date. Nothing was written."
        )
    return pa.concat_tables(tables)


def _nights(run_date: date) -> Iterator[date]:
    yield from (run_date - timedelta(days=back) for back in range(NIGHTS))


def _read(warehouse: Warehouse, project: Project, night: date, manifest: Manifest) -> pa.Table:
    """The rows of a night that the model's definitions of features have made."""
    of_model = [*(feature.name for feature in manifest.features), *columns_of_tiers(manifest.thresholds)]
    names = [*project.spine.key, "prediction_time", *of_model]
    where = (pc.field("run_date") == night) & (pc.field("definitions_hash") == manifest.definitions_hash)
    rows = arrow.read(warehouse, "features", list(dict.fromkeys(names)), where)
    for place, field in enumerate(rows.schema):
        if pa.types.is_decimal(field.type) and field.name not in project.spine.key:  # a model reads them as floats, too
            rows = rows.set_column(place, field.name, rows[field.name].cast(pa.float64(), safe=False))
    return rows
