"""What becomes of a night by its gates, from what they measured. No table is read here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from nightjar.durations import parse_duration
from nightjar.settings.gates import Gate, GateCheck, GateSeverity, OutlierMethod
from nightjar.sources.gates import history, judging, row_checks
from nightjar.sources.gates.history import History
from nightjar.sources.gates.judging import Band, Day
from nightjar.sources.gates.measures import OTHER, Measured
from nightjar.sources.gates.results import Finding, GateResult, Period
from nightjar.timeline import earlier

FIRST_LOAD = "a first load is no night"


@dataclass(frozen=True)
class Case:
    """What one gate is judged by: its measures of the night, the days that this covers, and the days before."""

    name: str
    gate: Gate
    measured: Measured
    period: Period
    past: History


def result(name: str, gate: Gate, measured: Measured, period: Period, earlier_days: History | None) -> GateResult:
    """The outcome of a gate.

    Args:
        name: of the gate.
        gate: its settings.
        measured: of the night.
        period: that the night covers.
        earlier_days: what the gate measured before; None: it does not compare with that.
    """
    measured = _with_quiet_days(gate, measured, period)
    past = earlier_days or History({})
    finding = _JUDGES.get(gate.check, _of_rows)(Case(name, gate, measured, period, past))
    days = None if earlier_days is None else history.as_text(gate, measured.days)
    return GateResult(name, gate, measured, finding, days)


def _with_quiet_days(gate: Gate, measured: Measured, period: Period) -> Measured:
    """With the days of the night that brought no fact: of a volume they count."""
    if gate.check is not GateCheck.VOLUME:
        return measured
    dated = [day for day in (*measured.days, *period.days, period.last) if day is not None]
    count = (max(dated) - min(dated)).days + 1
    quiet: dict[date | None, Day] = {min(dated) + timedelta(days=number): Day(0, 0.0) for number in range(count)}
    return replace(measured, days={**quiet, **measured.days})


def _of_rows(case: Case) -> Finding:
    """Of a check that rows fail one by one."""
    measured = case.measured
    failing = measured.refused if case.gate.severity is GateSeverity.REFUSE else measured.failing
    share = failing / measured.rows if measured.rows else None
    amiss = f"{row_checks.reason(case.name, case.gate)}: {failing:,} of {measured.rows:,} new rows"
    return Finding(amiss if failing else None, share)


def _outliers(case: Case) -> Finding:
    gate, measured, band = case.gate, case.measured, outlier_band(case.gate, case.past, case.period)
    if band is None:
        return Finding(learning=_too_little(f"{judging.LEAST_ROWS} rows", case))
    finding, most = _of_rows(case), 0
    if gate.method is OutlierMethod.QUANTILES and gate.severity is not GateSeverity.REFUSE:
        most = judging.most_by_chance(measured.rows, 2 * _tolerance(gate))
    words = f", outside {band.lowest:,.6g} to {band.highest:,.6g} by {band.days} days before"
    words += f", expected at most {most:,}" if most else ""
    amiss = f"{finding.amiss}{words}" if finding.amiss and measured.failing > most else None
    return Finding(amiss, finding.value, band)


def outlier_band(gate: Gate, past: History, period: Period) -> Band | None:
    """Between which bounds values are no outliers, by the days before that gave no warning; None: too few rows."""
    last = period.days[-1] if period.days else None
    if gate.method is None or last is None:
        return None
    recent = (last - timedelta(days=ago) for ago in range(7 * judging.WEEKS + 1))
    days = [past.days[day] for day in recent if day in past.days and day not in past.warned]
    return judging.outlier_band(gate.method, days, _tolerance(gate))


def _against_days(case: Case) -> Finding:
    """Of a volume, null share or mean: against bounds, or each day against the days before it."""
    gate, period = case.gate, case.period
    if not history.is_compared(gate):
        return _against_bounds(case)
    days, brought = dict(case.past.days), list[tuple[date, Day, Band | None]]()
    for day in period.days:
        one = case.measured.days.get(day, Day(0, None))
        if one.value is not None:
            band = judging.expected(gate.check, days, day, one.rows, _tolerance(gate))
            brought.append((day, one, band))
            days[day] = one
    judged = [(day, one, band) for day, one, band in brought if band is not None]
    value = brought[-1][1].value if brought else None
    if not judged:
        why = "no fact has a value" if period.days and not brought else None
        return Finding(None, value, learning=why or _too_little(f"{judging.LEAST_SAME} weeks", case))
    amiss = [
        f"gate {case.name}: {_measure(gate)} of {day} is {one.value:,.6g}, expected {band.lowest:,.6g} to "
        f"{band.highest:,.6g} by {band.days} days before"
        for day, one, band in judged
        if one.value is not None and not band.lowest <= one.value <= band.highest
    ]
    return Finding("; ".join(amiss) or None, value, judged[-1][2])


def _against_bounds(case: Case) -> Finding:
    gate, measured = case.gate, case.measured
    rows = sum(day.rows for day in measured.days.values())
    if gate.check is GateCheck.VOLUME and not case.period.days:
        return Finding(learning=FIRST_LOAD)
    if gate.check is GateCheck.VOLUME:
        value: float | None = float(measured.rows)
    else:
        sums = [day.rows * (day.value or 0.0) for day in measured.days.values()]
        value = sum(sums) / rows if rows else None
    if value is None:
        return Finding(learning="no fact has a value")
    low = gate.minimum is not None and value < gate.minimum
    high = gate.maximum is not None and value > gate.maximum
    allowed = " and ".join(
        f"{words} {bound:,.6g}"
        for words, bound in (("at least", gate.minimum), ("at most", gate.maximum))
        if bound is not None
    )
    amiss = f"gate {case.name}: {_measure(gate)} of the night is {value:,.6g}, expected {allowed}"
    return Finding(amiss if low or high else None, value)


def _freshness(case: Case) -> Finding:
    """The age of the newest fact, or the longest gap, in seconds."""
    name, gate, measured, period = case.name, case.gate, case.measured, case.period
    if gate.max_gap is not None:
        if not period.days:
            return Finding(learning=FIRST_LOAD)
        if measured.gap is None:
            return Finding(None, 0.0)
        before, after = measured.gap
        length, most = after - before, _exactly(gate.max_gap)
        amiss = f"gate {name}: no fact between {_shown(before)} and {_shown(after)}, expected gaps of at most "
        band = Band(0.0, most.total_seconds(), 0)
        return Finding(f"{amiss}{gate.max_gap}" if length > most else None, length.total_seconds(), band)
    oldest = earlier(period.cutoff, parse_duration(gate.max_age or ""), period.zone)
    band = Band(0.0, (period.cutoff - oldest).total_seconds(), 0)
    if measured.newest is None:
        return Finding(f"gate {name}: there is no fact, expected one of the last {gate.max_age}", None, band)
    age = period.cutoff - measured.newest
    amiss = f"gate {name}: the newest fact is of {_shown(measured.newest)}, {age / timedelta(hours=1):,.1f} h before "
    is_old = measured.newest < oldest
    return Finding(f"{amiss}the night, expected {gate.max_age} at most" if is_old else None, age.total_seconds(), band)


def _representative(case: Case) -> Finding:
    """Each value's share beside its share of the population; the value is the least p-value."""
    gate, measured = case.gate, case.measured
    rows = sum(measured.shares.values())
    if not rows:
        return Finding(learning="no fact has a value")
    population = {f"={text}": share for text, share in gate.population.items()}
    population |= {OTHER: max(1 - sum(population.values()), 0.0)}
    tolerance, amiss, least = _tolerance(gate), list[str](), 1.0
    for value, share in population.items():
        count = measured.shares.get(value, 0)
        p_value = judging.share_p_value(count, rows, share, tolerance, len(population))
        least = min(least, p_value)
        if p_value < judging.P_VALUE:
            amiss.append(
                f"{value.removeprefix('=')}: {count / rows:.1%} of {rows:,} rows, expected {share:.1%} within "
                f"{tolerance:.1%} (p {p_value:.1g})"
            )
    words = f"gate {case.name}: {gate.column} is not as its population: {'; '.join(amiss)}"
    return Finding(words if amiss else None, least, Band(judging.P_VALUE, 1.0, 0))


_JUDGES: dict[GateCheck, Callable[[Case], Finding]] = {
    GateCheck.OUTLIERS: _outliers,
    GateCheck.VOLUME: _against_days,
    GateCheck.NULL_SHARE: _against_days,
    GateCheck.MEAN: _against_days,
    GateCheck.FRESHNESS: _freshness,
    GateCheck.REPRESENTATIVE: _representative,
}


def _tolerance(gate: Gate) -> float:
    if gate.tolerance is not None:
        return gate.tolerance
    if gate.method is not None:
        return judging.OUTLIER_TOLERANCE[gate.method]
    return judging.SHARE_TOLERANCE if gate.check is GateCheck.REPRESENTATIVE else judging.TOLERANCE


def _too_little(needed: str, case: Case) -> str:
    return f"nothing is judged yet: {needed} of history are needed, there are {len(case.past.days)} days"


def _measure(gate: Gate) -> str:
    words = {
        GateCheck.NULL_SHARE: f"the share of {gate.column} without a value",
        GateCheck.VOLUME: "the number of facts",
    }
    return words.get(gate.check, f"the mean of {gate.column}")


def _exactly(text: str) -> timedelta:
    length = parse_duration(text)
    return timedelta(days=length.days) + length.exact


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
