"""Take corrected rows back, all or none, or dismiss refused ones: both are recorded in the table `corrections`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType, StructField, StructType

from nightjar.errors import SourceError
from nightjar.expressions import syntax
from nightjar.settings.project import Project
from nightjar.settings.sources import Source
from nightjar.sources import deduplication, facts, lookups, raw_columns
from nightjar.sources.connectors.corrections import CorrectionsConnector
from nightjar.sources.formats.failures import translate_expression_errors, translate_read_errors
from nightjar.sources.formats.provenance import FILE, MALFORMED
from nightjar.sources.intake import history
from nightjar.sources.quarantine.table_file import HASH, CorrectedRow, texts_of
from nightjar.sources.storing import is_corrected
from nightjar.tables import arrow
from nightjar.tables.corrections import CORRECTED, DISMISSED, RefusedRow
from nightjar.tables.source_definitions import CORRECTIONS, source_table_name
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, instant

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
    raw_rows = _raw_rows(spark, {row.line: texts_of(row, by_hash[row.row_hash]) for row in rows})
    name, source = decision.source, project.sources[decision.source]
    read = {entry.item.name for entry in history.read(warehouse, name, source_table_name(name)).entries}
    unread = CorrectionsConnector(spark, warehouse, name, list(source.columns), decision.run_date).unread(read)
    with translate_expression_errors(name), translate_read_errors(name, warehouse.path("")):
        lookups.require_sound(spark, name, source, cache)
        candidates = [facts.candidates(one, name, source, cache, project.zone) for one in (raw_rows, *unread)]
        _refuse(name, _invalid(reduce(DataFrame.unionByName, candidates), project, decision))
        texts_of_lines = _plain_texts(raw_rows, source)
    return _store(warehouse, decision, CORRECTED, {row.row_hash: texts_of_lines[row.line] for row in rows})


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


def _raw_rows(spark: SparkSession, texts: Mapping[int, Mapping[str, str | None]]) -> DataFrame:
    """Corrected rows as raw rows, whose items are their lines."""
    columns = list(next(iter(texts.values())))
    schema = StructType([StructField(name, StringType()) for name in [*columns, MALFORMED, FILE]])
    return spark.createDataFrame([(*row.values(), None, str(line)) for line, row in texts.items()], schema)


def _invalid(candidates: DataFrame, project: Project, decision: Decision) -> Iterator[str]:
    """What is wrong with corrected rows, by themselves or beside each other and those that no night has read yet."""
    name, source = decision.source, project.sources[decision.source]
    content = deduplication.content([*source.stored_columns(), "event_time"])
    checked = deduplication.with_conflicts(candidates.withColumn(deduplication.CONTENT, content), source)
    states = checked.where(~is_corrected()).select(
        F.col("intake").cast("bigint").alias("line"), facts.STATE, facts.REASONS, F.unix_micros("stated_known_at")
    )
    last = cutoff(decision.run_date, project.zone)
    for line, state, reasons, micros in sorted(states.collect()):
        if state == "refused":
            yield f"line {line}: {', '.join(reasons)}"
        elif state == "not_a_fact":
            yield f"line {line}: project.sources.{name}.where leaves it out"
        elif instant(micros) > last:
            clock = f"{instant(micros):%Y-%m-%d %H:%M:%S} UTC"
            yield f"line {line}: it becomes known at {clock}, after the cutoff of run_date={decision.run_date}"


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
