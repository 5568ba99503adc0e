"""Take corrected rows back, all or none, or dismiss refused ones: both are recorded in the table `corrections`."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import SourceError
from nightjar.expressions import syntax
from nightjar.settings.project import Project
from nightjar.settings.sources import Source
from nightjar.sources import lookups, raw_columns
from nightjar.sources.formats import files, raw
from nightjar.sources.formats.failures import translate_expression_errors, translate_read_errors
from nightjar.sources.formats.provenance import FILE, FOLDER
from nightjar.sources.intake import history
from nightjar.sources.quarantine.checking import Checking
from nightjar.sources.quarantine.table_file import HASH, CorrectedRow, texts_of
from nightjar.sources.storing import Night
from nightjar.tables import arrow
from nightjar.tables.corrections import CORRECTED, DISMISSED, RefusedRow
from nightjar.tables.source_definitions import CORRECTIONS, source_table_name
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff

MOST_PROBLEMS = 20
"""Problems of a file that a message names."""


@dataclass(frozen=True)
class Decision:
    """What a person says about refused rows of one source.

    Attributes:
        source: its name.
        decided_by: who.
        reason: why.
        run_date: first night of which it holds.
        run_id: of the run that records it.
    """

    source: str
    decided_by: str
    reason: str
    run_date: date
    run_id: str


def dismiss(warehouse: Warehouse, decision: Decision, refused: Iterable[RefusedRow]) -> int:
    """Record that open rows need no correction; the table's new version."""
    hashes = dict.fromkeys(row.row_hash for row in refused)
    return _store(warehouse, decision, DISMISSED, dict.fromkeys(hashes))


def correct(
    spark: SparkSession,
    warehouse: Warehouse,
    project: Project,
    decision: Decision,
    rows: Sequence[CorrectedRow],
    refused: Iterable[RefusedRow],
    cache: Path,
) -> int:
    """Record corrected rows, which the source's nights read from the decision's run date on.

    Args:
        spark: the session.
        warehouse: where the tables lie.
        project: whose source.
        decision: by whom, why and since when.
        rows: the corrected rows.
        refused: all rows of the source that were refused.
        cache: folder for unpacked archives.

    Returns:
        The table's new version.

    Raises:
        SourceError: there is no row; or one is no correction of an open row, or would be refused, or is known later
            than at the cutoff of the run date. Nothing was written.
        UsageError: an expression of the project holds what it may not, or does not fit. Nothing was written.
    """
    by_hash = {row.row_hash: row for row in reversed(list(refused))}  # the first night that has refused it
    _refuse(decision.source, _unmatched(rows, by_hash, decision.run_date))
    if not rows:
        raise SourceError(f"Source {decision.source}: the file holds no row. Nothing was written.")
    syntax.require_allowed(spark, project.sql_of_sources())
    name, source = decision.source, project.sources[decision.source]
    raw_rows = _raw_rows(spark, rows, by_hash, source, _of_folders(warehouse, name, source))
    midnight = cutoff(decision.run_date, project.zone)
    # Corrected rows become known with the night, as rows do that the one before should have had.
    night = Night(decision.run_date, midnight, midnight, decision.run_id)
    with translate_expression_errors(name), translate_read_errors(name, warehouse.path("")):
        lookups.require_sound(spark, name, source, cache)
        problems = Checking(spark, warehouse, project, name, night, cache).problems(raw_rows)
        _refuse(name, (f"line {line}: {problem}" for line, problem in problems))
        texts_of_lines = _plain_texts(raw_rows, source)
    return _store(warehouse, decision, CORRECTED, {row.row_hash: texts_of_lines[row.line] for row in rows})


def _of_folders(warehouse: Warehouse, name: str, source: Source) -> set[str]:
    """The columns that names of folders give, of the files that nights have read."""
    if source.file is None:
        return set()
    base, is_named = files.base(source.file, name), files.naming(source.file, name)
    items = {entry.item.name for entry in history.read(warehouse, name, source_table_name(name)).entries}
    values = [files.folder_values(base, item) for item in items if is_named(item)]
    return {column for of_file in values for column in of_file} & source.columns.keys()


def _raw_rows(
    spark: SparkSession,
    rows: Iterable[CorrectedRow],
    refused: Mapping[str, RefusedRow],
    source: Source,
    of_folders: Collection[str],
) -> DataFrame:
    """Corrected rows as raw rows, whose items are their lines."""
    of_source = frozenset() if source.file is None else source.file.missing_texts
    missing = {name: of_source for name in source.columns if name not in of_folders}
    texts = [(texts_of(row, refused[row.row_hash], missing), str(row.line)) for row in rows]
    return raw.of_texts(spark, list(source.columns), texts, {name: {FOLDER: True} for name in of_folders})


def _plain_texts(raw_rows: DataFrame, source: Source) -> dict[int, dict[str, str | None]]:
    """Line -> its columns, repaired, as texts that are read as the same values whatever the dialect of a file."""
    columns = raw_columns.raw_columns(raw_rows, source)
    plain = [F.col(name).cast("string").alias(name) for name in columns]
    repaired = raw_columns.repaired(raw_rows, columns, [FILE])
    rows = repaired.select(F.col(FILE).cast("bigint"), *plain).collect()
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows}


def _refuse(source: str, problems: Iterable[str]) -> None:
    """Refuse a file of which something is wrong.

    Raises:
        SourceError: something is.
    """
    lines = list(problems)
    if lines:
        more = [f"and {len(lines) - MOST_PROBLEMS:,} more"] if len(lines) > MOST_PROBLEMS else []
        shown = "; ".join([*lines[:MOST_PROBLEMS], *more])
        raise SourceError(f"Source {source}: the file is refused: {shown}. Correct it there. Nothing was written.")


def _unmatched(rows: Sequence[CorrectedRow], refused: Mapping[str, RefusedRow], run_date: date) -> Iterator[str]:
    """What is wrong with the hashes of rows."""
    lines: dict[str, int] = {}
    for row in rows:
        at, before = f"line {row.line} ({HASH} {row.row_hash!r})", refused.get(row.row_hash)
        first = lines.setdefault(row.row_hash, row.line)
        if before is None:
            yield f"{at}: no such row is in quarantine"
        elif before.decision is not None:
            yield f"{at}: that row is {before.decision} already"
        elif first != row.line:
            yield f"{at}: line {first} corrects the same row"
        elif run_date < before.night:
            yield f"{at}: the night of {before.night} has refused it, expected run_date={before.night} or a later one"


def _store(
    warehouse: Warehouse, decision: Decision, action: str, rows: Mapping[str, Mapping[str, str | None] | None]
) -> int:
    """Append a decision about each row; hash -> its corrected texts, if it has any."""
    shared: dict[str, Any] = {
        "source": decision.source,
        "action": action,
        "reason": decision.reason,
        "decided_by": decision.decided_by,
        "decided_at": datetime.now(UTC),
        "run_date": decision.run_date,
        "run_id": decision.run_id,
    }
    records = [
        shared | {"row_hash": row_hash, "row": None if texts is None else json.dumps(texts, ensure_ascii=False)}
        for row_hash, texts in rows.items()
    ]
    return arrow.append(warehouse, CORRECTIONS, records, decision.run_id)
