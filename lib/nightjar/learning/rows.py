"""Training rows: features with the labels known at a cutoff, from pinned Delta versions."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn, feature_columns
from nightjar.settings.project import Project
from nightjar.tables import arrow, labels
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, parse_duration

Days = npt.NDArray[np.datetime64]
Instants = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class TrainingRows:
    """Labelled rows in the order of prediction time and key.

    Attributes:
        features: the feature columns, one row each.
        columns: their names and types.
        label: the outcome.
        day: local date of the prediction time.
        label_known_at: when the outcome was known (UTC, microseconds).
        versions: table -> Delta version that was read.
        definitions_hash: of the feature definitions, the same for every row.
    """

    features: pa.Table
    columns: tuple[FeatureColumn, ...]
    label: npt.NDArray[np.bool_]
    day: Days
    label_known_at: Instants
    versions: Mapping[str, int]
    definitions_hash: str

    def take(self, index: npt.NDArray[np.intp]) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
        """Features and labels of some rows."""
        return self.features.take(index), self.label[index]

    def content_hash(self) -> str:
        """SHA-256 of features and labels: the same for the same rows, whatever files they came from."""
        digest = hashlib.sha256()
        sink = pa.BufferOutputStream()
        table = self.features.append_column("label", pa.array(self.label)).combine_chunks()
        with pyarrow.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        digest.update(sink.getvalue())
        return digest.hexdigest()


def read(warehouse: Warehouse, project: Project, run_date: date) -> TrainingRows:
    """Rows before the run date whose outcome is known at its midnight and is not null.

    A label's latest version at or before the cutoff counts.

    Raises:
        LearningError: the feature table mixes definitions, or no labelled row is there.
        TableError: `features` or `labels` has not been built, or lacks a column that the configuration names.
    """
    versions = arrow.pinned(warehouse, ["features", "labels"])
    names = project.feature_names()
    key = [*project.spine.key, "prediction_time"]
    wanted = list(dict.fromkeys([*key, *names, "run_date", "definitions_hash"]))
    earlier = pc.field("run_date") < run_date
    features = arrow.read(warehouse, "features", wanted, earlier, versions["features"])
    known = labels.known(warehouse, key, cutoff(run_date, project.zone), versions["labels"])
    outcomes = known.filter(pc.is_valid(known["label"]))
    definitions = _single_definition(features)
    joined = features.join(outcomes, key, join_type="inner").sort_by([(name, "ascending") for name in _order(project)])
    if not len(joined):
        raise LearningError(f"There is no labelled row before {run_date}. Build features from the first date on.")
    chosen = joined.select(names).combine_chunks()
    return TrainingRows(
        features=chosen,
        columns=feature_columns(chosen.schema, names),
        label=_numpy(joined["label"]).astype(np.bool_),
        day=_numpy(joined["run_date"]).astype("datetime64[D]"),
        label_known_at=_numpy(joined["label_known_at"]).astype("datetime64[us]"),
        versions=versions,
        definitions_hash=definitions,
    )


def last_settled_day(project: Project, run_date: date) -> date:
    """The last local date whose every label is settled at the run date's midnight.

    Later dates hold only what was known early, and that is no random sample of them.
    """
    now = cutoff(run_date, project.zone)
    horizon = parse_duration(project.label.horizon)
    day = run_date
    while cutoff(day, project.zone) + horizon > now:
        day = date.fromordinal(day.toordinal() - 1)
    return day


def _order(project: Project) -> list[str]:
    return ["prediction_time", *project.spine.key]


def _single_definition(features: pa.Table) -> str:
    hashes: list[Any] = features["definitions_hash"].to_pylist()
    found: list[str] = sorted(set(hashes))
    if len(found) > 1:
        raise LearningError(
            f"Table features mixes rows of {len(found)} definitions ({', '.join(one[:8] for one in found)}): the "
            "same column does not mean the same in all of them. Build all dates again: jobs/build_features.py since=..."
        )
    return found[0] if found else ""


def _numpy(column: "pa.ChunkedArray[Any]") -> npt.NDArray[Any]:
    return column.combine_chunks().to_numpy(zero_copy_only=False)
