"""Rebuilds a night's features or labels whose files are damaged; refused unless the number of rows is the same."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pyspark.sql import SparkSession

from nightjar.errors import TableError
from nightjar.expressions import failing_expressions
from nightjar.features import build, spine
from nightjar.features.at import with_features
from nightjar.features.definitions import definitions_hash, label_hash
from nightjar.features.label_range import damaged_range
from nightjar.features.staleness import HASH
from nightjar.settings.project import Project
from nightjar.tables import arrow, failures, labels, scan, sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.entries import DataFile
from nightjar.tables.rows import of_frame
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.warehouse import Warehouse


@failures.translate_errors()
def rebuild_features(spark: SparkSession, warehouse: Warehouse, project: Project, day: date, run_id: str) -> int:
    """Build the features of a date again; return the new version of the table.

    Raises:
        TableError: they were not built by today's definitions, or it is unknown by which, or today's tables give
            another number of rows. Nothing was written.
    """
    files = _of_day(warehouse, "features", day)
    built_by = {_definitions(warehouse, file) for file in files}
    if built_by != {definitions_hash(project)}:
        raise TableError(f"The features of {day} were built by other definitions than today's, or it cannot be told.")
    versions = arrow.pin(warehouse, [source_table_name(name) for name in project.sources])
    rows = spine.spine_rows(spark, warehouse, project, versions, day, day)
    features = with_features(of_frame(rows), warehouse, project, versions)
    definition = build.table_of(project, rows, features)
    target = sink.target(warehouse, definition, run_id=run_id, definitions_hash=definitions_hash(project))
    with failing_expressions.translate_errors(project.sql_of_rows()):
        written = sink.collect(features.task_input, features.make, target, by_tasks=features.by_tasks)
    _require_as_many(written, files, f"features of {day}")
    return sink.commit(warehouse, target, written, build.of_dates(day, day), run_id, inputs=versions)


@failures.translate_errors()
def rebuild_labels(spark: SparkSession, warehouse: Warehouse, project: Project, day: date, run_id: str) -> int:
    """Build the labels that first became known on a date again; return the new version of the table.

    Raises:
        TableError: they are of another definition than today's, or the log does not say of which rows they are, or
            today's tables give another number of rows. Nothing was written.
    """
    files = _of_day(warehouse, "labels", day)
    if not all(file.may_hold(labels.HASH, label_hash(project), label_hash(project)) for file in files):
        raise TableError(f"The labels of {day} are of another definition than today's.")
    to_label = damaged_range(files, project, day)
    versions = arrow.pin(warehouse, [source_table_name(name) for name in project.sources])
    open_rows = build.rows_to_label(spark, warehouse, project, versions, to_label)
    rebuilt, definition = build.labels_of(open_rows, warehouse, project, versions, to_label)
    target = sink.target(warehouse, definition, run_id=run_id, label_hash=label_hash(project))
    with failing_expressions.translate_errors(project.sql_of_rows()):
        written = sink.collect(rebuilt, sink.in_one_piece, target)
    _require_as_many(written, files, f"labels of {day}")
    return sink.commit(warehouse, target, written, to_label.replaces, run_id, inputs=versions)


def _of_day(warehouse: Warehouse, table: str, day: date) -> tuple[DataFile, ...]:
    return scan.snapshot(warehouse, table).where(build.of_dates(day, day)).files


def _definitions(warehouse: Warehouse, file: DataFile) -> Any:
    """The definitions hash of a file's rows; None where the damage hides it."""
    snapshot = scan.snapshot(warehouse, "features").where(lambda other: other.path == file.path)
    try:
        hashes = scan.read(snapshot, [HASH])[HASH].unique().to_pylist()
    except TableError:
        hashes = [bounds.get(HASH) for bounds in (file.least, file.greatest)]
    return hashes[0] if len(set(hashes)) == 1 else None


def _rows(files: Sequence[NewFile] | Sequence[DataFile]) -> int:
    return sum(file.rows for file in files)


def _require_as_many(written: Sequence[NewFile], files: Sequence[DataFile], subject: str) -> None:
    if _rows(written) != _rows(files):
        raise TableError(
            f"The {subject} were {_rows(files):,} rows, and today's tables and settings give {_rows(written):,}."
        )
