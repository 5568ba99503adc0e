"""Check the new rows of a source by its gates, and refuse those that gates refuse."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.durations import parse_duration
from nightjar.errors import SourceError
from nightjar.settings.gates import Gate, GateCheck, GateSeverity
from nightjar.sources import deduplication, facts
from nightjar.sources.facts import REASONS, STATE
from nightjar.sources.gates import history, measures, row_checks, set_checks, verdicts
from nightjar.sources.gates.ground import Ground
from nightjar.sources.gates.judging import Band
from nightjar.sources.gates.measures import Measured
from nightjar.sources.gates.results import GateResult
from nightjar.sources.storing import CheckedSource
from nightjar.tables.quality import WARN
from nightjar.timeline import earlier, instant

log = logging.getLogger("nightjar.ingest")
EXAMPLES = 3
_BY_MARKS = (GateCheck.UNIQUE, GateCheck.RELATIONSHIPS, GateCheck.OUTLIERS)
"""Checks that are made once the rows are new: they depend on other rows, or on history."""


def check(ground: Ground, rows: DataFrame) -> tuple[DataFrame, tuple[GateResult, ...]]:
    """The rows, with those refused that gates refuse, and what each gate says.

    Args:
        ground: whose rows they are.
        rows: new ones, facts and refused, persisted; where some are refused now, others are persisted in their stead.

    Raises:
        UsageError: a gate does not fit its columns.
    """
    gates, period = ground.place.source.gates, ground.period()
    if not gates:
        return rows, ()
    past = history.read(ground.place.warehouse, ground.place.name, gates, ground.place.night.run_date)
    outliers = {name: gate for name, gate in gates.items() if gate.check is GateCheck.OUTLIERS}
    all_bands = {name: verdicts.outlier_band(gate, past[name], period) for name, gate in outliers.items()}
    bands = {name: band for name, band in all_bands.items() if band is not None}
    measured, values = _measure(ground, rows, bands)
    marked = [
        name
        for name, gate in gates.items()
        if gate.severity is GateSeverity.REFUSE and gate.check in _BY_MARKS and measured[name].failing
    ]
    if marked:
        refused = _refuse(ground, rows, {name: values.get(name) for name in marked}, bands).persist()
        measured, _ = _measure(ground, refused, bands)
        rows.unpersist()
        rows = refused
    results = [
        verdicts.result(name, gate, _with_newest(ground, gate, measured[name]), period, past.get(name))
        for name, gate in gates.items()
    ]
    return rows, tuple(_with_examples(ground, rows, one, values, bands) for one in results)


def require(checked: Iterable[CheckedSource], run_date: date) -> None:
    """Log what gates say of the sources of a night, and stop it where one of them asks for it.

    Raises:
        SourceError: a gate of severity `stop` is not passed.
    """
    stops = []
    for source in checked:
        for result in source.gates:
            if result.finding.amiss and result.gate.severity is GateSeverity.STOP:
                stops.append((source.name, result))
            elif result.status == WARN:
                log.warning("source %s: %s; the night goes on, and its scores are marked", source.name, result.amiss())
    if not stops:
        return
    amiss = " ".join(f"Source {name}: {result.amiss()}." for name, result in stops)
    settings = " ".join(f"{row_checks.path_of(name, result.name)}.severity=warn" for name, result in stops)
    raise SourceError(
        f"The night of {run_date} stops at its gates. {amiss} Nothing was written. Mend the data and run it again; or "
        f"go on, and let scores be marked: {settings}"
    )


def _measure(
    ground: Ground, rows: DataFrame, bands: Mapping[str, Band]
) -> tuple[dict[str, Measured], dict[str, DataFrame]]:
    """What the gates measure, and the values that fail those that compare rows with others."""
    facts_there = rows.where(F.col(STATE) == "fact")
    values: dict[str, DataFrame] = {}
    for name, gate in ground.place.source.gates.items():
        if gate.check is GateCheck.UNIQUE:
            stored = ground.stored(ground.table)
            values[name] = set_checks.repeated(facts_there, stored, gate, ground.place.source)
        if gate.check is GateCheck.RELATIONSHIPS:
            path = row_checks.path_of(ground.place.name, name)
            judged = rows if gate.severity is GateSeverity.REFUSE else facts_there
            values[name] = set_checks.unrelated(judged, ground.others(gate, facts_there), gate, path)
    dated, later = ground.dated(rows), ground.stored_later()
    dated = dated if later is None else dated.unionByName(later, allowMissingColumns=True)
    return measures.measure(dated, ground.place.name, ground.place.source, bands, values), values


def _refuse(
    ground: Ground, rows: DataFrame, values: Mapping[str, DataFrame | None], bands: Mapping[str, Band]
) -> DataFrame:
    """The rows with those refused that fail gates, without those that another run has refused."""
    gates, reasons = ground.place.source.gates, list[Column]()
    for number, (name, of_gate) in enumerate(values.items()):
        rows, fails = _fails(ground, rows, name, of_gate, bands, f"_fails_{number}")
        reasons.append(F.when(fails, F.lit(row_checks.reason(name, gates[name]))))
    more = F.array_compact(F.array(*reasons))
    is_refused = F.size(more) > 0
    all_reasons = F.concat(F.coalesce(F.col(REASONS), F.array().cast("array<string>")), more)
    marks = {
        REASONS: F.when(is_refused, all_reasons).otherwise(F.col(REASONS)),
        STATE: F.when(is_refused, "refused").otherwise(F.col(STATE)),
    }
    names = [name for name in rows.columns if not name.startswith("_fails_")]
    marked = deduplication.with_hashes(rows.withColumns(marks).select(*names))
    return deduplication.without_refused(
        ground.place.spark, marked, ground.place.warehouse, ground.place.name, ground.place.night.run_date
    )


def _fails(
    ground: Ground, rows: DataFrame, name: str, values: DataFrame | None, bands: Mapping[str, Band], mark: str
) -> tuple[DataFrame, Column]:
    """The rows, and whether each fails a gate."""
    gate, path = ground.place.source.gates[name], row_checks.path_of(ground.place.name, name)
    if values is None:
        return rows, measures.is_outside(rows, path, gate, bands[name])
    renamed = values.select(
        *(F.col(column).alias(f"{mark}{column}") for column in gate.columns), F.lit(True).alias(mark)
    )
    same = [F.col(column) == F.col(f"{mark}{column}") for column in gate.columns]
    joined = rows.join(renamed, same, "left").drop(*(f"{mark}{column}" for column in gate.columns))
    of_facts = F.col(STATE) == "fact" if gate.check is GateCheck.UNIQUE else F.lit(True)
    return joined, F.coalesce(F.col(mark), F.lit(False)) & of_facts


def _with_newest(ground: Ground, gate: Gate, measured: Measured) -> Measured:
    """With the newest fact there is, where those of the night are too old for its gate."""
    if gate.max_age is None:
        return measured
    oldest = earlier(ground.place.night.cutoff, parse_duration(gate.max_age), ground.place.zone)
    stored = ground.stored(ground.table)
    if stored is None or (measured.newest is not None and measured.newest >= oldest):
        return measured
    (row,) = stored.agg(F.unix_micros(F.max("event_time"))).collect()
    moments: list[datetime | None] = [measured.newest, None if row[0] is None else instant(row[0])]
    return replace(measured, newest=max(filter(None, moments), default=None))


def _with_examples(
    ground: Ground,
    rows: DataFrame,
    result: GateResult,
    values: Mapping[str, DataFrame],
    bands: Mapping[str, Band],
) -> GateResult:
    """With examples of the rows that fail, where rows do and are not in `quarantine`."""
    gate = result.gate
    if result.finding.amiss is None or gate.severity is GateSeverity.REFUSE or not result.measured.failing:
        return result
    new = rows.where(F.col(STATE) == "fact")
    if gate.check in _BY_MARKS:
        new, fails = _fails(ground, new, result.name, values.get(result.name), bands, "_fails")
    elif gate.check is GateCheck.NULL_SHARE:
        fails = row_checks.missing(gate.column or "", rows.schema[gate.column or ""].dataType)
    else:
        fails = F.array_contains(row_checks.FLAGS, result.name)
    stored = set(ground.place.source.stored_columns())
    columns = dict.fromkeys([*ground.place.source.key, *(name for name in gate.source_columns() if name in stored)])
    shown = new.where(fails).select(facts.as_json(list(columns)).alias("row")).orderBy("row").limit(EXAMPLES)
    return result.with_examples([str(row[0]) for row in shown.collect()])
