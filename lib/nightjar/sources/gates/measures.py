"""Measure a night's new rows for all gates of a source: one Spark job, whatever the number of gates."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from nightjar.durations import microseconds, parse_duration
from nightjar.settings.gates import OF_VALUES, Gate, GateCheck, GateSeverity, OutlierMethod
from nightjar.settings.sources import Source
from nightjar.sources.facts import REASONS, STATE
from nightjar.sources.gates import row_checks, set_checks
from nightjar.sources.gates.judging import QUANTILES, WEEKS, Band, Day
from nightjar.timeline import instant

DAY = "_day"
"""The local day on which a row's fact became known; null: before those that later nights are compared with."""
HISTORY_DAYS = 2 * 7 * WEEKS
"""Days whose measures say what is usual: eight weeks, and those that each of their days is compared with."""
_ACCURACY = 10_000  # of quantiles: ranks are off by one in so many rows at most
OTHER = "other values"


@dataclass(frozen=True)
class Measured:
    """What one gate measured of a night.

    Attributes:
        rows: new rows that it looked at.
        failing: those that fail it, whether they are refused by now or not.
        refused: those that it has refused.
        days: of the facts, by the local day on which they became known; None: the days before.
        newest: the latest event time of a fact.
        gap: the two event times in turn that lie furthest apart; where all lie near each other, perhaps others.
        shares: of `representative`: value -> rows.
    """

    rows: int
    failing: int = 0
    refused: int = 0
    days: Mapping[date | None, Day] = field(default_factory=dict)
    newest: datetime | None = None
    gap: tuple[datetime, datetime] | None = None
    shares: Mapping[str, int] = field(default_factory=dict)


def measure(
    rows: DataFrame,
    name: str,
    source: Source,
    bands: Mapping[str, Band],
    failing_values: Mapping[str, DataFrame],
) -> dict[str, Measured]:
    """What each gate measures.

    Args:
        rows: new rows, facts and refused ones, with their `DAY`.
        name: of the source.
        source: its settings.
        bands: gate of check `outliers` -> between which bounds a value is none, where that is known.
        failing_values: gate of check `unique` or `relationships` -> the values that fail it.
    """
    parts = [_by_day(rows, name, source, bands)]
    for gate_name, gate in source.gates.items():
        if gate_name in failing_values:
            parts.append(
                _part(gate_name, failing_values[gate_name].agg(F.sum(set_checks.ROWS).alias("rows")), ["rows"])
            )
        if gate.max_gap is not None:
            parts.append(_part(gate_name, _longest_gap(rows, gate.max_gap), ["before", "after"]))
        if gate.method in (OutlierMethod.IQR, OutlierMethod.QUANTILES):
            parts.append(_part(gate_name, _quantiles(rows, name, gate_name, gate), ["quantiles"], F.col(DAY)))
        if gate.check is GateCheck.REPRESENTATIVE:
            parts.append(_part(gate_name, _shares(rows, name, gate_name, gate), ["value", "rows"]))
    by_part: dict[str, list[tuple[date | None, dict[str, Any]]]] = {}
    for part, day, payload in reduce(DataFrame.unionAll, parts).collect():
        by_part.setdefault(part, []).append((day, json.loads(payload)))
    days = by_part.pop("", [])
    return {
        gate_name: _measured(gate, number, days, by_part.get(gate_name, []))
        for number, (gate_name, gate) in enumerate(source.gates.items())
    }


def is_outside(rows: DataFrame, path: str, gate: Gate, band: Band) -> Column:
    """Whether a value lies outside the bounds. Infinities do, NaN is no value."""
    number = row_checks.number(rows, path, gate.column or "")
    infinite = F.coalesce(row_checks.missing(gate.column or "", rows.schema[gate.column or ""].dataType), F.lit(False))
    plain = F.col(gate.column or "").cast("double")
    far = infinite & plain.isNotNull() & ~F.isnan(plain)
    return F.coalesce((number < band.lowest) | (number > band.highest), F.lit(False)) | far


def _by_day(rows: DataFrame, name: str, source: Source, bands: Mapping[str, Band]) -> DataFrame:
    """One row for each day: everything that needs no rows beside a row."""
    is_fact = F.col(STATE) == "fact"
    newest = F.unix_micros(F.max(F.when(is_fact, F.col("event_time"))))
    columns = {"new": F.count("*"), "facts": F.count_if(is_fact), "newest": newest}
    for number, (gate_name, gate) in enumerate(source.gates.items()):
        path = row_checks.path_of(name, gate_name)
        statistics = _statistics(rows, path, gate_name, gate, bands.get(gate_name))
        columns |= {f"{number}_{statistic}": one for statistic, one in statistics.items()}
    by_day = rows.groupBy(DAY).agg(*(one.alias(column) for column, one in columns.items()))
    return _part("", by_day, list(columns), F.col(DAY))


def _statistics(rows: DataFrame, path: str, gate_name: str, gate: Gate, band: Band | None) -> dict[str, Column]:
    """Aggregates for one gate."""
    is_fact, column = F.col(STATE) == "fact", gate.column or ""
    refuses = gate.severity is GateSeverity.REFUSE
    statistics = dict[str, Column]()
    if refuses:
        statistics["refused"] = F.count_if(F.array_contains(REASONS, row_checks.reason(gate_name, gate)))
    elif gate.check in OF_VALUES:
        statistics["failing"] = F.count_if(is_fact & F.array_contains(row_checks.FLAGS, gate_name))
    elif gate.check is GateCheck.NULL_SHARE:
        statistics["failing"] = F.count_if(is_fact & row_checks.missing(column, rows.schema[column].dataType))
    if gate.check in (GateCheck.MEAN, GateCheck.OUTLIERS):
        of_facts = F.when(is_fact, row_checks.number(rows, path, column, truth=gate.check is GateCheck.MEAN))
        statistics |= {"rows": F.count(of_facts), "mean": F.avg(of_facts), "variance": F.var_samp(of_facts)}
    if band is not None:
        counts = F.lit(True) if refuses else is_fact
        statistics["failing"] = F.count_if(counts & is_outside(rows, path, gate, band))
    return statistics


def _quantiles(rows: DataFrame, name: str, gate_name: str, gate: Gate) -> DataFrame:
    """Of each day. Apart from the other aggregates, which Spark would no longer compile beside them."""
    facts = rows.where(F.col(STATE) == "fact")
    number = row_checks.number(rows, row_checks.path_of(name, gate_name), gate.column or "")
    return facts.groupBy(DAY).agg(F.percentile_approx(number, list(QUANTILES), _ACCURACY).alias("quantiles"))


def _part(part: str, rows: DataFrame, columns: list[str], day: Column | None = None) -> DataFrame:
    payload = F.to_json(F.struct(*(F.col(f"`{name}`") for name in columns)))
    return rows.select(F.lit(part), (F.lit(None) if day is None else day).cast("date"), payload)


def _shares(rows: DataFrame, name: str, gate_name: str, gate: Gate) -> DataFrame:
    """Rows by the population's values, all others together."""
    column = gate.column or ""
    texts = list(gate.population)
    values = row_checks.values_of(rows, row_checks.path_of(name, gate_name), column, texts)
    value = F.lit(OTHER)
    for text, one in zip(texts, values, strict=True):
        value = F.when(F.col(column) == F.lit(one), F.lit(f"={text}")).otherwise(value)
    facts = rows.where((F.col(STATE) == "fact") & F.col(column).isNotNull())
    return facts.groupBy(value.alias("value")).agg(F.count("*").alias("rows"))


def _longest_gap(rows: DataFrame, max_gap: str) -> DataFrame:
    """The two event times in turn that lie furthest apart, where they lie further apart than is allowed.

    Within a bucket of the allowed length none do; so only the first and the last of each bucket are compared.
    """
    length = parse_duration(max_gap)
    width = microseconds(length.exact) + length.days * 86_400_000_000
    moment = F.unix_micros("event_time")
    facts = rows.where(F.col(STATE) == "fact").select(moment.alias("at"))
    buckets = facts.groupBy(F.floor(F.col("at") / width).alias("bucket")).agg(
        F.min("at").alias("after"), F.max("at").alias("last")
    )
    before = F.lag("last").over(Window.partitionBy(F.lit(0)).orderBy("bucket"))
    gaps = buckets.select(before.alias("before"), "after").where(F.col("before").isNotNull())
    longest = gaps.agg(F.max_by(F.struct("before", "after"), F.col("after") - F.col("before")).alias("longest"))
    return longest.select("longest.before", "longest.after")


def _measured(
    gate: Gate,
    number: int,
    days: list[tuple[date | None, dict[str, Any]]],
    dated_parts: list[tuple[date | None, dict[str, Any]]],
) -> Measured:
    """One gate's measures from the collected rows."""
    parts = [one for _, one in dated_parts]
    quantiles = {day: one.get("quantiles") for day, one in dated_parts}
    refuses = gate.severity is GateSeverity.REFUSE
    newest = [one["newest"] for _, one in days if "newest" in one]
    own = {day: {key: one.get(f"{number}_{key}") for key in _STATISTICS} | {"facts": one["facts"]} for day, one in days}
    failing = sum(one["failing"] or 0 for one in own.values())
    failing += sum(int(one.get("rows", 0)) for one in parts if "value" not in one)
    refused = sum(one["refused"] or 0 for one in own.values())
    ends = [(instant(one["before"]), instant(one["after"])) for one in parts if "before" in one]
    return Measured(
        rows=sum(one["new" if refuses else "facts"] for _, one in days),
        failing=failing,
        refused=refused,
        days={day: _day(gate.check, one, quantiles.get(day)) for day, one in own.items()},
        newest=instant(max(newest)) if newest else None,
        gap=ends[0] if ends else None,
        shares={str(one["value"]): int(one["rows"]) for one in parts if "value" in one},
    )


_STATISTICS = ("failing", "refused", "rows", "mean", "variance")


def _day(check: GateCheck, one: Mapping[str, Any], quantiles: list[Any] | None) -> Day:
    facts = int(one["facts"])
    if check is GateCheck.NULL_SHARE:
        return Day(facts, int(one["failing"]) / facts if facts else None)
    if check not in (GateCheck.MEAN, GateCheck.OUTLIERS):
        return Day(facts, float(facts))
    value, variance = (None if one[key] is None else float(one[key]) for key in ("mean", "variance"))
    return Day(int(one["rows"] or 0), value, variance or 0.0, tuple(float(one) for one in quantiles or ()))
