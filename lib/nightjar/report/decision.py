"""The newest decision about a version that was trained to become champion: what each gate said of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.registry.events import STAND_IN
from nightjar.registry.gates.outcome import Verdict
from nightjar.registry.swaps import describe
from nightjar.report.reading import PinnedTables

_DECISIONS = ("promoted", "refused")


@dataclass(frozen=True)
class GateOutcome:
    """What a gate said, as it was recorded; see `registry.gates.outcome.Outcome`."""

    gate: str
    verdict: str
    sentence: str
    figure: float | None
    limit: float | None
    rows: int | None

    @property
    def has_passed(self) -> bool:
        """Whether it stood in nobody's way."""
        return self.verdict == Verdict.PASSED


@dataclass(frozen=True)
class GateDecision:
    """A decision with the outcomes of its gates.

    Attributes:
        version: that was decided about.
        name: of its candidate.
        event: `promoted` or `refused`.
        since: the run date from which it holds.
        gates: in the order in which they are judged.
        swaps: whose decision would change from the champion's to its own, in words; None: there was no champion.
    """

    version: str
    name: str | None
    event: str
    since: date
    gates: tuple[GateOutcome, ...]
    swaps: str | None


def find_decision(tables: PinnedTables) -> GateDecision | None:
    """The last one up to the night, of a winner; None where none has recorded its gates."""
    where = pc.field("event").isin(_DECISIONS) & (pc.field("holds_from") <= tables.run_date)
    columns = ["event", "event_id", "model_version", "model_name", "holds_from", "evidence", "recorded_at"]
    rows = [row | {"evidence": _parsed(row["evidence"])} for row in tables.rows("model_events", columns, where)]
    judged = [row for row in rows if row["evidence"].get("outcomes") and not row["evidence"].get(STAND_IN)]
    row = max(judged, key=lambda one: (one["holds_from"], one["recorded_at"], one["event_id"]), default=None)
    if row is None:
        return None
    evidence, swaps = row["evidence"], row["evidence"].get("swaps")
    return GateDecision(
        row["model_version"],
        row["model_name"],
        row["event"],
        row["holds_from"],
        tuple(_outcome(one) for one in evidence["outcomes"]),
        None if swaps is None else describe(swaps),
    )


def _parsed(evidence: str | None) -> Mapping[str, Any]:
    try:
        stored = json.loads(evidence or "{}")
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}


def _outcome(stored: Mapping[str, Any]) -> GateOutcome:
    numbers = (stored.get(name) for name in ("figure", "limit", "rows"))
    return GateOutcome(str(stored["gate"]), str(stored["verdict"]), str(stored["sentence"]), *numbers)
