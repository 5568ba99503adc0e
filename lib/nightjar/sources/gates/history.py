"""What gates measured of earlier days, from the table `quality`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow.compute as pc

from nightjar.settings.gates import OF_HISTORY, Gate
from nightjar.sources.gates.judging import Day
from nightjar.sources.gates.measures import HISTORY_DAYS
from nightjar.tables import arrow, opening
from nightjar.tables.quality import GATE, WARN
from nightjar.tables.source_definitions import QUALITY
from nightjar.tables.warehouse import Warehouse


@dataclass(frozen=True)
class History:
    """The days that one gate has measured on earlier nights; `warned`: those of nights on which it gave a warning."""

    days: Mapping[date, Day]
    warned: frozenset[date] = frozenset()


def read(warehouse: Warehouse, source: str, gates: Mapping[str, Gate], run_date: date) -> dict[str, History]:
    """Gate -> its history, from the nights before a run date, for gates that compare with it."""
    names = [name for name, gate in gates.items() if gate.check in OF_HISTORY and is_compared(gate)]
    delta_table = opening.find(warehouse, QUALITY.name) if names else None
    if delta_table is None or "days" not in opening.schema_of(delta_table).names:
        return {name: History({}) for name in names}
    first = run_date - timedelta(days=HISTORY_DAYS)
    where = (pc.field("run_date") < run_date) & (pc.field("run_date") >= first) & (pc.field("source") == source)
    rows = arrow.read(warehouse, QUALITY.name, ["check", "status", "days", "run_date"], where).to_pylist()
    by_gate = {name: [row for row in rows if row["check"] == GATE + name and row["days"]] for name in names}
    return {name: _history(gates[name], by_gate[name]) for name in names}


def is_compared(gate: Gate) -> bool:
    """Whether a gate compares with history, and not with bounds."""
    return gate.minimum is None and gate.maximum is None


def as_text(gate: Gate, days: Mapping[date | None, Day]) -> str:
    """The days for the column `days` of `quality`, with what they are measures of."""
    numbers = {
        day.isoformat(): [one.rows, one.value, one.variance, list(one.quantiles)]
        for day, one in sorted(_dated(days).items())
    }
    return json.dumps({"of": _measure(gate), "days": numbers})


def _dated(days: Mapping[date | None, Day]) -> dict[date, Day]:
    return {day: one for day, one in days.items() if day is not None}


def _measure(gate: Gate) -> str:
    """What is measured: a gate of the same name may have measured another column before."""
    kind = "" if gate.method is None else f" by {gate.method}"
    return f"{gate.check} of {gate.column or 'facts'}{kind}"


def _history(gate: Gate, rows: Iterable[Mapping[str, object]]) -> History:
    """Each day as the earliest night measured it that did."""
    days, warned = dict[date, Day](), set[date]()
    for row in sorted(rows, key=lambda one: str(one["run_date"])):
        content = json.loads(str(row["days"]))
        if content["of"] != _measure(gate):
            continue
        for text, (count, value, variance, quantiles) in content["days"].items():
            day = date.fromisoformat(text)
            if day not in days:
                days[day] = Day(count, value, variance, tuple(quantiles))
                warned |= {day} if row["status"] == WARN else set()
    return History(days, frozenset(warned))
