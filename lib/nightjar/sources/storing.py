"""Store a night's checked rows: facts, refused rows, counts. Each table is written in one commit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import TableError
from nightjar.settings.gates import GateSeverity
from nightjar.settings.sources import Source
from nightjar.sources import facts
from nightjar.sources.gates import row_checks
from nightjar.sources.gates.results import GateResult
from nightjar.sources.intake import history
from nightjar.sources.items import OF_CORRECTIONS, Entry
from nightjar.tables import arrow, sink
from nightjar.tables.quality import ARRIVED, NEW_COLUMNS, PASS, REPAIR, WARN
from nightjar.tables.source_definitions import QUALITY
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse

ROWS_PER_FILE = 100_000


@dataclass(frozen=True)
class Night:
    """The run: its date, its cutoff, and the cutoff of the previous run (None: this is the first load)."""

    run_date: date
    cutoff: datetime
    previous_cutoff: datetime | None
    run_id: str


@dataclass(frozen=True)
class CheckedSource:
    """One source, read and checked, not yet written.

    Attributes:
        name: of the source.
        table: its definition.
        rows: what the night stores or refuses.
        counts: rows by outcome.
        failed_checks: reason -> refused rows.
        newest: the latest `stated_known_at` of its new facts.
        entries: what was read.
        has_late: whether some of its new facts are late, see `is_late`.
        gates: what its gates say.
        repaired: column and repair -> rows that it has changed, of those that the night stores or refuses.
        persisted: the rows that Spark keeps until they are stored.
        new_columns: those that nobody declares, and that its items of nights before did not have.
    """

    name: str
    table: Table
    rows: DataFrame
    counts: Mapping[str, int]
    failed_checks: Mapping[str, int]
    newest: datetime | None
    entries: Sequence[Entry]
    has_late: bool
    gates: tuple[GateResult, ...] = ()
    repaired: Mapping[tuple[str, str], int] = field(default_factory=dict)
    persisted: tuple[DataFrame, ...] = ()
    new_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArrivalResult:
    """How many facts a source has brought since the previous run, and what is wrong with that, in words."""

    rows: int
    amiss: tuple[str, ...]


def require_same_columns(tables: Iterable[sink.Target]) -> None:
    """Refuse settings by which new facts would lack columns that their table has.

    Raises:
        TableError: a column of the table is no longer stored.
    """
    for into in tables:
        defined = into.table.schema().names
        dropped = [name for name in into.schema.names if name not in defined]
        if dropped:
            raise TableError(
                f"Table {into.table.name} at {into.folder} differs from its definition: it has {', '.join(dropped)}, "
                "which the source's settings do not store. Store it under this name, or move the table away and build "
                "it again. Nothing was written."
            )


def store_facts(source: CheckedSource, settings: Source, warehouse: Warehouse, night: Night) -> int:
    """Replace the run date's partition of the source's table by the facts that are new; the new version."""
    new = source.rows.where(F.col(facts.STATE) == "fact")
    into = sink.target(warehouse, source.table, ingested_on=night.run_date, run_id=night.run_id)
    dated = with_known_at(new, settings, night, has_late=source.has_late)
    stored = dated.select(*(set(into.schema.names) - set(into.stamps)))
    files = 1 + source.counts["stored"] // ROWS_PER_FILE
    written = sink.collect(stored.coalesce(files), sink.in_one_piece, into)
    return sink.commit(
        warehouse,
        into,
        written,
        lambda file: file.partition["ingested_on"] == night.run_date,
        night.run_id,
        marks=history.marks(source.entries, night.run_date),
    )


def is_corrected() -> Column:
    """Whether a person has corrected the row."""
    return F.col("intake").startswith(OF_CORRECTIONS)


def is_late(night: Night) -> Column:
    """Whether a version becomes known with this run, whatever it states.

    That is so if the previous run should have had it and had not, or had it as a row that a person has corrected since.
    """
    if night.previous_cutoff is None:
        return is_corrected()
    return is_corrected() | (F.col("stated_known_at") <= F.lit(night.previous_cutoff))


def with_known_at(rows: DataFrame, source: Source, night: Night, *, has_late: bool) -> DataFrame:
    """Facts with `known_at`, when each version became known: as stated, or with this run if it `is_late`.

    Several versions of one fact that arrive in one night stay in their stated order: a late one becomes known a
    microsecond before the next.

    Args:
        rows: facts of the night.
        source: settings of the source.
        night: the run.
        has_late: whether some of the rows may be late.
    """
    stated = F.col("stated_known_at")
    if not has_late:
        return rows.withColumn("known_at", stated)
    late, key = is_late(night), list(source.key)
    newest_first = [F.desc(name) for name in ["stated_known_at", *source.sequence]]
    newer = Window.partitionBy(*key).orderBy(*newest_first).rowsBetween(Window.unboundedPreceding, -1)
    next_in_time = F.unix_micros(F.min(F.when(~late, stated)).over(newer))
    after = F.coalesce(next_in_time, F.unix_micros(F.lit(night.cutoff)) + 1)
    place = F.row_number().over(Window.partitionBy(*key, "_after", "_late").orderBy(*newest_first))
    known_at = F.when(F.col("_late"), F.timestamp_micros(F.col("_after") - place)).otherwise(stated)
    placed = rows.withColumns({"_after": after, "_late": late})
    return placed.withColumn("known_at", known_at).drop("_after", "_late")


def store_quality(
    checked_sources: list[CheckedSource], arrivals: Mapping[str, ArrivalResult], warehouse: Warehouse, night: Night
) -> int:
    """Replace the run date's counts; the new version."""
    rows: list[dict[str, Any]] = []
    for source in checked_sources:
        shared = {
            "source": source.name,
            "of": source.counts["read"],
            "run_date": night.run_date,
            "run_id": night.run_id,
        }
        of_gates = {
            row_checks.reason(result.name, result.gate)
            for result in source.gates
            if result.gate.severity is GateSeverity.REFUSE
        }
        failed = {check: count for check, count in source.failed_checks.items() if check not in of_gates}
        counts = {**source.counts, **failed}
        counts |= {f"{REPAIR}{column}: {repair}": count for (column, repair), count in source.repaired.items()}
        rows += [shared | {"check": check, "rows": count} for check, count in counts.items()]
        arrival = arrivals[source.name]
        verdict = {"status": WARN, "message": "; ".join(arrival.amiss)} if arrival.amiss else {"status": PASS}
        rows.append(shared | verdict | {"check": ARRIVED, "rows": arrival.rows})
        rows += [shared | result.row() for result in source.gates]
        if source.new_columns:
            message = f"not declared: {', '.join(source.new_columns)}"
            rows.append(shared | {"check": NEW_COLUMNS, "rows": 0, "message": message})
    return arrow.replace(warehouse, QUALITY, rows, {"run_date": night.run_date}, night.run_id)
