"""Whether a night calls for a training, rule by rule: also "no", with what would have had to differ."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pyarrow.compute as pc

from nightjar.durations import parse_duration
from nightjar.monitoring.signals import Kind, State
from nightjar.registry import events
from nightjar.settings.monitoring.retraining import Retraining
from nightjar.settings.project import Project
from nightjar.tables import arrow, scan
from nightjar.tables.monitoring_definitions import SIGNALS, TRIGGERS
from nightjar.tables.runs import Outcome
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, later, local_date

TRAIN, NO, POSTPONED, UNKNOWN = "train", "no", "postponed", "unknown"
YEAR = timedelta(days=365)
OF_PERFORMANCE = (Kind.PERFORMANCE, Kind.CONCEPT, Kind.PRIOR)
OF_DRIFT = (Kind.COVARIATE, Kind.PREDICTION)


@dataclass(frozen=True)
class Decision:
    """What one rule says on one night.

    Attributes:
        rule: its name, that of its setting; `time` is that of `every`.
        decision: `TRAIN`, `NO`, `POSTPONED` by cooldown or budget, or `UNKNOWN`.
        sentence: why.
        needed: what would have had to differ for the other decision.
        evidence: the figures that decide.
    """

    rule: str
    decision: str
    sentence: str
    needed: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Night:
    """What rules are decided by: the champion's training, and all trainings up to the night, the newest first."""

    warehouse: Warehouse
    project: Project
    run_date: date
    champion_trained_on: date
    trainings: Sequence[date]

    @property
    def trained_on(self) -> date:
        """The night of the last training, whatever became of what it trained: the same rows teach the same again."""
        return max([self.champion_trained_on, *self.trainings[:1]])

    @property
    def settings(self) -> Retraining:
        return self.project.monitoring.retraining

    def after(self, day: date, duration: str) -> date:
        """The first night that is so long after another."""
        zone = self.project.zone
        instant = later(cutoff(day, zone), parse_duration(duration), zone)
        first = local_date(instant, zone)
        return first if cutoff(first, zone) >= instant else first + timedelta(days=1)


def decide(warehouse: Warehouse, project: Project, run_date: date) -> list[Decision]:
    """The decisions of every declared rule, of a night whose signals are stored already."""
    settings = project.monitoring.retraining
    rules: dict[str, tuple[object, Callable[[_Night], Decision]]] = {
        "time": (settings.every, _by_time),
        "rows": (settings.rows, _by_rows),
        "labels": (settings.labels, _by_labels),
        "performance": (settings.performance, _by_performance),
        "drift": (settings.drift, _by_drift),
    }
    declared = {name: rule for name, (value, rule) in rules.items() if value is not None}
    champion = events.find_champion(warehouse, run_date)
    if champion is None:
        needed = "a champion: run jobs/train.py and jobs/promote.py"
        return [Decision(name, UNKNOWN, "No champion holds on the night.", needed) for name in declared]
    trainings = _trainings(warehouse, run_date)
    trained_on = trainings.get(champion.number, champion.holds_from)
    night = _Night(warehouse, project, run_date, trained_on, sorted(trainings.values(), reverse=True))
    return [_postpone(night, rule(night)) for rule in declared.values()]


def _trainings(warehouse: Warehouse, run_date: date) -> dict[str, date]:
    """Version -> the run date that it was trained for, up to a night; baselines that stand in are no training."""
    rows = events.read(warehouse, pc.field("event") == "registered")
    own = [row for row in rows if row["alias"] is None and row["holds_from"] <= run_date]
    return {row["model_version"]: row["holds_from"] for row in own}


def _postpone(night: _Night, decision: Decision) -> Decision:
    """The same, unless a training is too near, or there were too many."""
    if decision.decision != TRAIN or not night.trainings:
        return decision
    settings, last = night.settings, night.trainings[0]
    free_on = night.after(last, settings.cooldown)
    recent = [day for day in night.trainings if day > night.run_date - YEAR]
    if night.run_date < free_on:
        why = f"The last training was for {last}, and the cooldown is {settings.cooldown}."
        return replace(
            decision, decision=POSTPONED, sentence=f"{decision.sentence} {why}", needed=f"a night from {free_on} on"
        )
    if len(recent) >= settings.most:
        why = f"There were {len(recent)} trainings within 365 days, and the budget is {settings.most}."
        free_again = recent[settings.most - 1] + YEAR
        return replace(
            decision, decision=POSTPONED, sentence=f"{decision.sentence} {why}", needed=f"a night from {free_again} on"
        )
    return decision


def _by_time(night: _Night) -> Decision:
    every = str(night.settings.every)
    due, age = night.after(night.trained_on, every), (night.run_date - night.trained_on).days
    sentence = f"The last training was for {night.trained_on}, {age} days ago; every={every}."
    evidence = {"trained_on": str(night.trained_on), "days": age, "due": str(due)}
    if night.run_date >= due:
        return Decision("time", TRAIN, sentence, f"a training after {night.run_date}, less {every}", evidence)
    return Decision("time", NO, sentence, f"a night from {due} on", evidence)


def _by_rows(night: _Night) -> Decision:
    return _by_growth(night, "rows", "features", night.settings.rows or 0.0, "rows of features")


def _by_labels(night: _Night) -> Decision:
    return _by_growth(night, "labels", "labels", night.settings.labels or 0.0, "labels")


def _by_growth(night: _Night, rule: str, table: str, needed: float, noun: str) -> Decision:
    """How much a table has grown since the training: as its files count, none of them is read."""
    if not arrow.exists(night.warehouse, table):
        return Decision(rule, UNKNOWN, f"There is no table {table}.", f"a table {table}")
    before = after = 0
    for file in scan.snapshot(night.warehouse, table).files:
        day = file.partition["run_date"]
        before += file.rows if day <= night.trained_on else 0
        after += file.rows if night.trained_on < day <= night.run_date else 0
    enough = needed * before
    sentence = f"There are {after:,} new {noun} beside the {before:,} of the training for {night.trained_on}."
    evidence = {"new": after, "trained_on": before, "share": after / before if before else None, "needed": needed}
    if before and after >= enough:
        return Decision(rule, TRAIN, sentence, f"fewer than {enough:,.0f} new {noun}", evidence)
    return Decision(rule, NO, sentence, f"{enough:,.0f} new {noun}, {needed:.0%} of those", evidence)


def _by_performance(night: _Night) -> Decision:
    return _by_signals(night, "performance", OF_PERFORMANCE, night.settings.performance or 1)


def _by_drift(night: _Night) -> Decision:
    return _by_signals(night, "drift", OF_DRIFT, night.settings.drift or 1)


def _by_signals(night: _Night, rule: str, kinds: Sequence[Kind], needed: int) -> Decision:
    """On how many nights in a row, the night the last, a signal of some kinds has said ACT since the training."""
    words, by_night = ", ".join(kind.word for kind in kinds), dict[date, list[tuple[str, str, str]]]()
    for day, *one in _signals(night, kinds, needed):
        by_night.setdefault(day, []).append((one[0], one[1], one[2]))
    tonight = by_night.get(night.run_date, [])
    if not any(state != State.UNKNOWN.value for _, _, state in tonight):
        return Decision(rule, UNKNOWN, f"Nothing is known of {words} on the night.", "signals of these kinds")
    acts = 0
    for day in sorted(by_night, reverse=True):
        if not any(state == State.ACT.value for _, _, state in by_night[day]):
            break
        acts += 1
    subjects = sorted(f"{kind} of {subject}" for kind, subject, state in tonight if state == State.ACT.value)
    sentence = f"On {acts} {'night' if acts == 1 else 'nights'} in a row {words} have said ACT: {', '.join(subjects)}."
    if not acts:
        sentence = f"No signal of {words} says ACT on the night."
    evidence = {"nights": acts, "needed": needed, "subjects": subjects}
    if acts >= needed:
        return Decision(rule, TRAIN, sentence, "a night on which none says ACT", evidence)
    return Decision(rule, NO, sentence, f"ACT on {needed} nights in a row, {needed - acts} more", evidence)


def _signals(night: _Night, kinds: Sequence[Kind], needed: int) -> Iterator[tuple[Any, ...]]:
    """Night, kind, subject and state of the signals of some kinds, of nights since the training, as many as count."""
    since = max(night.champion_trained_on, night.run_date - timedelta(days=needed + 7))
    where = (pc.field("run_date") >= since) & (pc.field("run_date") <= night.run_date)
    where &= pc.field("kind").isin([kind.value for kind in kinds])
    columns = ["run_date", "kind", "subject", "state"]
    yield from (
        tuple(row[name] for name in columns)
        for row in arrow.read(night.warehouse, SIGNALS.name, columns, where).to_pylist()
    )


def store(
    warehouse: Warehouse, decisions: Sequence[Decision], run_date: date, run_id: str, number: str | None
) -> Outcome:
    """Replace the night's rows of the table `triggers`.

    Args:
        warehouse: where tables lie.
        decisions: of the night.
        run_date: the night.
        run_id: of this run.
        number: of the champion's version; None: there is none.
    """
    rows = [
        {
            **{name: getattr(one, name) for name in ("rule", "decision", "sentence", "needed")},
            "evidence": json.dumps(one.evidence, allow_nan=False),
            "model_version": number,
            "run_date": run_date,
            "run_id": run_id,
        }
        for one in decisions
    ]
    version = arrow.replace(warehouse, TRIGGERS, rows, {"run_date": run_date}, run_id)
    return Outcome(outputs={TRIGGERS.name: version}, rows={TRIGGERS.name: len(rows)})
