"""The Delta tables of sources: facts and layouts, refused rows and corrections, checks, repairs, and what was read.

All instants are UTC with microseconds. `run_date` is a local date in the project's zone.
"""

from collections.abc import Sequence

import pyarrow as pa

from nightjar.settings.layouts import BY
from nightjar.tables.table import INSTANT, RUN_DATE, RUN_ID, Column, Table, columns_of

QUARANTINE = Table(
    "quarantine",
    "One refused row of a source, with all its reasons.",
    ("source", "row_hash", "run_date"),
    ("run_date",),
    "ingest",
    (
        Column("source", pa.string(), "name of the source"),
        Column("row_hash", pa.string(), "SHA-256 of the row's content"),
        Column("reasons", pa.list_(pa.string()), "every check that the row failed"),
        Column("row", pa.string(), "the row's raw columns as JSON of texts, as its source writes them"),
        RUN_DATE,
        RUN_ID,
    ),
)
CORRECTIONS = Table(
    "corrections",
    "What a person has decided about one refused row, which stays in `quarantine`.",
    ("source", "row_hash"),
    (),
    "quarantine",
    (
        Column("source", pa.string(), "name of the source"),
        Column("row_hash", pa.string(), "of the refused row in `quarantine`"),
        Column("action", pa.string(), "corrected: the row here stands in for it; dismissed: none does"),
        Column(
            "row",
            pa.string(),
            "the corrected raw columns, repaired, as JSON of texts as the settings of a column say, in no dialect of a "
            "file; null: dismissed",
        ),
        Column("reason", pa.string(), "why"),
        Column("decided_by", pa.string(), "who says so"),
        Column("decided_at", INSTANT, "when it was recorded (wall clock)"),
        Column("run_date", pa.date32(), "first night that reads the corrected row, or counts the refused one no more"),
        RUN_ID,
    ),
)
QUALITY = Table(
    "quality",
    "One check's outcome on one source.",
    ("source", "check", "run_date"),
    ("run_date",),
    "ingest, build_features, maintain",
    (
        Column(
            "source",
            pa.string(),
            "name of the source; features: their rebuild, by maintain; labels: votes on them, by build_features; "
            "warehouse: whether files and logs are whole, by maintain",
        ),
        Column("check", pa.string(), "name of the check, or of the count"),
        Column("rows", pa.int64(), "rows that the check is about"),
        Column("of", pa.int64(), "rows that were looked at"),
        Column("status", pa.string(), "pass, warn (amiss), refused (rows), learning (too little history); null: none"),
        Column("message", pa.string(), "what was amiss, beside what was expected; null: nothing"),
        Column("severity", pa.string(), "of a gate: refuse, warn or stop"),
        Column("value", pa.float64(), "of a gate: the share, count, mean, seconds (freshness) or p-value it measured"),
        Column("lowest", pa.float64(), "of a gate: the least that passes; for outliers, of their column"),
        Column("highest", pa.float64(), "of a gate: the most that passes; for outliers, of their column"),
        Column("history", pa.int64(), "of a gate: days that it compared with; null: it compares with none"),
        Column("days", pa.string(), "of a gate: JSON of its measures by day: rows, value, variance, quantiles"),
        RUN_DATE,
        RUN_ID,
    ),
)
REPAIRS = Table(
    "repairs",
    "One value that a declared repair changed, before and after, in a row that a night has stored or refused.",
    ("source", "row_hash", "column", "run_date"),
    ("run_date",),
    "ingest",
    (
        Column("source", pa.string(), "name of the source"),
        Column("row_hash", pa.string(), "SHA-256 of the raw row's content as JSON, as in table quarantine"),
        Column("column", pa.string(), "the raw column; for near_duplicates the columns that are compared"),
        Column(
            "repairs",
            pa.list_(pa.string()),
            "what changed it, in this order: trim (never alone: it is only counted, in table quality), case, synonyms, "
            "numbers, zone, winsorise; or near_duplicates",
        ),
        Column("before", pa.string(), "the raw value; for near_duplicates the key of the fact as JSON"),
        Column("after", pa.string(), "the value read; for near_duplicates the key of the fact kept in its place"),
        Column("key", pa.string(), "the key of the row's fact as JSON, nulls where it was refused for that"),
        RUN_DATE,
        RUN_ID,
    ),
)
INTAKE = Table(
    "intake",
    "One item (a file, or new rows of a table) that a night has read; it counts where the source's table says so.",
    ("source", "item", "digest", "run_date", "run_id"),
    ("run_date",),
    "ingest",
    (
        Column("source", pa.string(), "name of the source"),
        Column(
            "item",
            pa.string(),
            "the file, or the table and which of its rows; null: there was nothing to read",
        ),
        Column("digest", pa.string(), "SHA-256 of a file's bytes up to its size; a Delta table's id; the watermark"),
        Column(
            "begins",
            pa.int64(),
            "first byte, version or value that was read; nights before have read up to there",
        ),
        Column("size", pa.int64(), "bytes to the end of what was read; versions; the watermark as a number"),
        Column("modified", pa.int64(), "when it was last changed, nanoseconds since 1970; 0: unknown"),
        Column("definition", pa.string(), "SHA-256 of the settings by which its rows become facts"),
        Column("after", INSTANT, "earlier nights have read the rows that were known by then; null: none has"),
        Column("until", INSTANT, "the night's cutoff"),
        Column("waiting", pa.int64(), "rows that become known after the night"),
        Column("staged", pa.string(), "folder of its rows, within the project's warehouse; null: none is staged"),
        Column("parts", pa.int64(), "files in that folder"),
        Column("whole", pa.bool_(), "true: all rows that the night has read are staged; false: only those that wait"),
        Column("columns", pa.string(), "the columns that were read, as JSON"),
        Column(
            "undeclared",
            pa.string(),
            "further columns of the item, which the source does not declare, as JSON; null: they are not recorded",
        ),
        RUN_DATE,
        RUN_ID,
    ),
)


def source_table_name(source: str) -> str:
    """The name of the table that holds a source's facts."""
    return f"source_{source}"


def source_table(
    name: str, key: Sequence[str], facts: pa.Schema, sequence: Sequence[str] = (), purpose: str = ""
) -> Table:
    """The table of one source: bitemporal and append only; a rerun replaces what its own run date first saw.

    Args:
        name: name of the source.
        key: its key columns.
        facts: its stored columns and their types, as derived from the raw data.
        sequence: the columns that order versions of one `known_at`.
        purpose: what the source says, for the table's comment.
    """
    clocks = (
        Column("event_time", INSTANT, "when it happened"),
        Column("known_at", INSTANT, "when it could have been known; never before it was first seen"),
        Column("stated_known_at", INSTANT, "when the source says it could have been known"),
    )
    rest = (
        Column("intake", pa.string(), "name of the item that brought it, see table intake"),
        Column("ingested_on", pa.date32(), "run date that first saw this version"),
        RUN_ID,
    )
    return Table(
        source_table_name(name),
        f"One version of one fact of source {name}{purpose and f': {purpose}'}.",
        (*key, "known_at", *sequence),
        ("ingested_on",),
        "ingest",
        (*clocks, *columns_of(facts, f"from source {name}"), *rest),
    )


def layout_table(source: Table, keys: Sequence[str]) -> Table:
    """The facts of a source laid out for one key set, for joins that shuffle no facts; see tables/layouts.py."""
    return Table(
        f"{source.name}{BY}{'_'.join(keys)}",
        f"The facts of {source.name} with a key in {', '.join(keys)}, sorted by key and event_time in each bucket.",
        (*source.key, "retraction"),
        ("bucket",),
        "ingest",
        (
            *source.columns,
            Column("retraction", pa.bool_(), "true: known_at is when the fact ceased to be at this key and event_time"),
            Column("bucket", pa.int32(), "pmod(xxhash64(keys), number of buckets)"),
        ),
    )
