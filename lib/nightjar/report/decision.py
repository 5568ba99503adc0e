"""The newest decision about a version that was trained to become champion: what each gate said of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.registry.events import STAND_IN
from nightjar.registry.gates.outcome import Verdict
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
class SwapSet:
    """Rows that only one of two models acts on, with 95% intervals.

    Attributes:
        rows: how many.
        share: of all rows.
        outcome_rate: the share of them that turned out True, or to be of the class; None where there are none.
    """

    rows: int
    share: tuple[float | None, ...]
    outcome_rate: tuple[float | None, ...]


@dataclass(frozen=True)
class Swap:
    """Whose decision would change from the champion's to the new model's.

    Attributes:
        decision: in words: to act, or to predict a class.
        joins: rows that it would be made for from now on.
        leaves: those that it would no longer be made for.
    """

    decision: str
    joins: SwapSet
    leaves: SwapSet


@dataclass(frozen=True)
class GateDecision:
    """A decision with the outcomes of its gates.

    Attributes:
        version: that was decided about.
        name: of its candidate.
        event: `promoted` or `refused`.
        since: the run date from which it holds.
        gates: in the order in which they are judged.
        swaps: whose decision would change; none where there was no champion to compare decisions with.
    """

    version: str
    name: str | None
    event: str
    since: date
    gates: tuple[GateOutcome, ...]
    swaps: tuple[Swap, ...]


def find_decision(tables: PinnedTables, classes: Mapping[str, str]) -> GateDecision | None:
    """The last one up to the night, of a winner; None where none has recorded its gates.

    Args:
        tables: of the night.
        classes: of several classes: value -> name for people.
    """
    where = pc.field("event").isin(_DECISIONS) & (pc.field("holds_from") <= tables.run_date)
    columns = ["event", "event_id", "model_version", "model_name", "holds_from", "evidence", "recorded_at"]
    rows = [row | {"evidence": _parsed(row["evidence"])} for row in tables.rows("model_events", columns, where)]
    judged = [row for row in rows if row["evidence"].get("outcomes") and not row["evidence"].get(STAND_IN)]
    row = max(judged, key=lambda one: (one["holds_from"], one["recorded_at"], one["event_id"]), default=None)
    if row is None:
        return None
    evidence = row["evidence"]
    return GateDecision(
        row["model_version"],
        row["model_name"],
        row["event"],
        row["holds_from"],
        tuple(_outcome(one) for one in evidence["outcomes"]),
        tuple(_swaps(evidence.get("swaps"), classes)),
    )


def _parsed(evidence: str | None) -> Mapping[str, Any]:
    try:
        stored = json.loads(evidence or "{}")
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}


def _swaps(stored: Mapping[str, Any] | None, classes: Mapping[str, str]) -> Iterator[Swap]:
    if stored is None or "reason" in stored:
        return
    of_decisions = {"acted on": stored}
    if "classes" in stored:
        of_decisions = {classes.get(value, value): sets for value, sets in stored["classes"].items()}
    for decision, sets in of_decisions.items():
        yield Swap(decision, _swap_set(sets["in"]), _swap_set(sets["out"]))


def _swap_set(stored: Mapping[str, Any]) -> SwapSet:
    figures = [tuple(stored[name][part] for part in ("estimate", "low", "high")) for name in ("share", "outcome_rate")]
    return SwapSet(stored["rows"], *figures)


def _outcome(stored: Mapping[str, Any]) -> GateOutcome:
    numbers = (stored.get(name) for name in ("figure", "limit", "rows"))
    return GateOutcome(str(stored["gate"]), str(stored["verdict"]), str(stored["sentence"]), *numbers)
