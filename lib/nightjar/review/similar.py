"""Past cases like one, with what came of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.settings.project import Project
from nightjar.tables import arrow, labels
from nightjar.tables.predictions import is_served
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff

SHOWN, ROWS, NIGHTS = 5, 20_000, 365
"""Past cases that are shown; and of how many rows with an outcome, of how many nights, they are the most similar."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PastCase:
    """A past prediction whose outcome is known.

    Attributes:
        row: its key, prediction_id, prediction_time, run_date, score, tier, label, and the columns that were compared.
        differing: the columns whose values differ most from those of the case, the most first.
    """

    row: Mapping[str, Any]
    differing: Sequence[str]


@dataclass(frozen=True, eq=False)
class PastCases:
    """Rows with known outcomes, and the columns by which they are compared."""

    rows: pa.Table
    columns: Sequence[str]


def read_past_cases(warehouse: Warehouse, project: Project, night: date) -> PastCases:
    """The newest rows whose outcomes were known at a night's midnight, with the scores that were served.

    Raises:
        TableError: a table or column is missing, or a file is damaged.
    """
    columns, key = project.serving.review.compared_columns(), [*project.spine.key, "prediction_time"]
    none = PastCases(pa.table({name: pa.nulls(0) for name in [*key, "label"]}), columns)
    versions = arrow.versions(warehouse, ["labels", "features", "scores"])
    if len(versions) < 3 or not columns:
        return none
    since = cutoff(night - timedelta(days=NIGHTS), project.zone)
    recent = pc.field("prediction_time") >= pa.scalar(since, INSTANT)
    settled = labels.as_of(warehouse, key, cutoff(night, project.zone), versions["labels"], recent)
    outcomes = settled.filter(pc.is_valid(settled["label"])).select([*key, "label"])
    newest = outcomes.sort_by([("prediction_time", "descending")]).slice(0, ROWS)
    if not len(newest):
        return none
    least = pc.field("prediction_time") >= pc.min(newest["prediction_time"])
    beside = [name for name in columns if name not in key]
    features = arrow.read(warehouse, "features", [*key, "run_date", *beside], least, versions["features"])
    stored = arrow.schema(warehouse, "scores", versions["scores"]).names
    of_score = [name for name in ("prediction_id", "score", "tier") if name in stored]
    scores = arrow.read(warehouse, "scores", [*key, *of_score], least & is_served(stored), versions["scores"])
    rows = newest.join(features, key, join_type="inner").join(scores, key, join_type="left outer")
    return PastCases(rows.combine_chunks(), columns)


def read_columns(
    warehouse: Warehouse, project: Project, case: Mapping[str, Any], names: Sequence[str]
) -> dict[str, Any]:
    """The values of some columns of the feature table for a case; none where its features are stored no more."""
    columns = list(dict.fromkeys(names))
    if not columns or not arrow.exists(warehouse, "features"):
        return {}
    schema, where = arrow.schema(warehouse, "features"), pc.field("run_date") == case["run_date"]
    for name in (*project.spine.key, "prediction_time"):
        value, at = case[name], pc.field(name)
        where &= at.is_null() if value is None else at == pa.scalar(value, schema.field(name).type)
    rows = arrow.read(warehouse, "features", [name for name in columns if name in schema.names], where).to_pylist()
    return rows[0] if rows else {}


def most_similar(past: PastCases, case: Mapping[str, Any], most: int = SHOWN) -> list[PastCase]:
    """The past cases whose compared columns are nearest to those of a case, of another prediction than its own.

    The distance is Gower's: the mean over columns of the difference of two numbers, as a share of the range between the
    5% and the 95% quantile, at most 1; of other values, and where one of two is missing, 1 unless they are equal.
    Source: Gower (1971), Biometrics 27(4), 857-871.

    Args:
        past: what to look among.
        case: column -> value of the case, `prediction_id` among them.
        most: how many.
    """
    if not len(past.rows):
        return []
    distances = np.column_stack([_distance(past.rows[name], case.get(name)) for name in past.columns])
    total = distances.mean(axis=1)
    ids = np.array(past.rows["prediction_id"].to_pylist(), dtype=object)
    total[ids == case["prediction_id"]] = np.inf
    nearest = np.argsort(total, kind="stable")[:most]
    rows = past.rows.take(nearest).to_pylist()
    return [
        PastCase(row, [past.columns[at] for at in np.argsort(-distances[place], kind="stable") if distances[place, at]])
        for row, place in zip(rows, nearest, strict=True)
        if np.isfinite(total[place])
    ]


def _distance(column: Any, value: Any) -> Floats:
    """The distance of each value of a column to one, from 0 to 1."""
    kind: pa.DataType = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = column.cast(pa.float64(), safe=False).to_numpy()
        own = np.nan if value is None else float(value)
        low, high = np.nanquantile(numbers, [0.05, 0.95]) if np.isfinite(numbers).any() else (0.0, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = np.minimum(np.abs(numbers - own) / (high - low), 1.0) if high > low else numbers != own
        missing = np.isnan(numbers), np.isnan(own)
        return np.where(missing[0] | missing[1], np.where(missing[0] & missing[1], 0.0, 1.0), apart)
    return np.array([one != value for one in column.to_pylist()], np.float64)
