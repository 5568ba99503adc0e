"""The quality of the night's input: the checks of each source, and the rows that were refused."""

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.report.reading import PinnedTables
from nightjar.tables.quality import ARRIVED

MOST_REASONS = 30
MOST_CHECKS = 200
"""Of sources with thousands of columns the rest is in the table quality."""
_LONGEST_ROW = 2_000


@dataclass(frozen=True)
class Check:
    """One check's outcome on one source; `status` and `message` are those of a gate."""

    source: str
    name: str
    rows: int | None
    of: int | None
    status: str | None = None
    message: str | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether it counted nothing, and nothing is amiss."""
        return self.rows == 0 and not self.message

    @property
    def is_amiss(self) -> bool:
        """Whether a gate has something to say."""
        return self.status in ("warn", "refused")

    def share(self) -> float | None:
        """The share of the rows that were looked at."""
        return self.rows / self.of if self.rows is not None and self.of else None


@dataclass(frozen=True)
class RefusalReason:
    """One reason for which rows of one source were refused, with an example."""

    source: str
    reason: str
    rows: int
    example: str


@dataclass(frozen=True)
class RefusedRows:
    """The night's refused rows. A row with several reasons counts under each of them.

    Attributes:
        rows: refused rows, each once.
        reasons: the most frequent ones.
        more: how many further reasons there are.
        open: rows that this night and those before have refused, and nobody has corrected or dismissed by then.
    """

    rows: int
    reasons: tuple[RefusalReason, ...]
    more: int
    open: int


def read_quality(tables: PinnedTables) -> list[Check]:
    """The outcome of every check, by source and name, without the arrivals."""
    not_arrivals = tables.of_night() & (pc.field("check") != ARRIVED)
    there = [name for name in ("status", "message") if name in tables.columns("quality")]
    rows = tables.rows("quality", ["source", "check", "rows", "of", *there], not_arrivals)
    checks = [
        Check(str(row["source"]), str(row["check"]), row["rows"], row["of"], row.get("status"), row.get("message"))
        for row in rows
    ]
    return sorted(checks, key=lambda check: (check.source, check.name))


def read_refused(tables: PinnedTables) -> RefusedRows | None:
    """The refused rows by source and reason; None where there is no such table."""
    refused = tables.read("quarantine", ["source", "row_hash", "reasons"], tables.of_night())
    if refused is None:
        return None
    groups = _by_reason(refused).to_pylist()
    ranked = sorted(groups, key=lambda group: (-group["row_hash_count"], group["source"], group["reason"]))
    shown = ranked[:MOST_REASONS]
    examples = _examples(tables, [group["row_hash_min"] for group in shown])
    return RefusedRows(
        len(refused),
        tuple(
            RefusalReason(
                group["source"],
                group["reason"],
                group["row_hash_count"],
                examples.get((group["source"], group["row_hash_min"]), ""),
            )
            for group in shown
        ),
        len(ranked) - len(shown),
        _count_open(tables),
    )


def _count_open(tables: PinnedTables) -> int:
    by_night = pc.field("run_date") <= tables.run_date
    refused, decided = (
        {(row["source"], row["row_hash"]) for row in tables.rows(table, ["source", "row_hash"], by_night)}
        for table in ("quarantine", "corrections")
    )
    return len(refused - decided)


def _by_reason(refused: pa.Table) -> pa.Table:
    """source, reason, row_hash_count, row_hash_min. A row without a reason counts under `no reason given`."""
    reasons_of_rows = [row or ["no reason given"] for row in refused["reasons"].to_pylist()]
    row_numbers = [k for k, row in enumerate(reasons_of_rows) for _ in row]
    reasons = pa.array([reason or "no reason given" for row in reasons_of_rows for reason in row], pa.string())
    flat = (
        refused.select(["source", "row_hash"]).take(pa.array(row_numbers, pa.int64())).append_column("reason", reasons)
    )
    return flat.group_by(["source", "reason"]).aggregate([("row_hash", "count"), ("row_hash", "min")])


def _examples(tables: PinnedTables, hashes: list[str]) -> dict[tuple[str, str], str]:
    where = tables.of_night() & pc.field("row_hash").isin(pa.array(hashes, pa.string()))
    rows = tables.rows("quarantine", ["source", "row_hash", "row"], where) if hashes else []
    return {(row["source"], row["row_hash"]): _readable(row["row"]) for row in rows}


def _readable(row: str | None) -> str:
    """The row's JSON, one column a line."""
    try:
        content: Any = json.loads(row or "null")
        text = json.dumps(content, ensure_ascii=False, indent=1)
    except ValueError:
        text = row or ""
    return text if len(text) <= _LONGEST_ROW else f"{text[:_LONGEST_ROW]}… (cut: {len(text):,} characters)"
