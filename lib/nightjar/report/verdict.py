"""The first screen: whether the night's scores can be used, what has changed, what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow.compute as pc

from nightjar.report.formatting import shorten
from nightjar.report.job_runs import JobRun
from nightjar.report.reading import PinnedTables
from nightjar.report.signals import ShownSignal, Signals
from nightjar.report.states import ACT, OK, UNKNOWN, WATCH, place
from nightjar.report.triggers import ShownTrigger

HEADLINES = {
    OK: "Use tonight's scores.",
    WATCH: "Use tonight's scores, and look at what changed.",
    ACT: "Do not rely on tonight's scores before you have acted.",
    UNKNOWN: "Nobody can say whether tonight's scores are safe to use.",
}
STRIP = 28
"""Nights whose verdicts stand beside the night's own."""
_SHOWN_STEPS = 4
_LONGEST_ERROR = 300


@dataclass(frozen=True)
class ShownVerdict:
    """Whether the model is safe to use on a night.

    Attributes:
        is_stored: whether monitoring has said so; else the page says what the runs tell.
        nights: verdict of each of the last nights that have one, the reported one last.
    """

    state: str
    sentence: str
    command: str | None
    is_stored: bool
    nights: Sequence[tuple[date, str]] = ()

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return HEADLINES.get(self.state, HEADLINES[UNKNOWN])


@dataclass(frozen=True)
class Task:
    """Something to do, as a command, and why."""

    command: str
    why: str


def read_verdict(
    tables: PinnedTables, steps: Sequence[JobRun], signals: Signals | None, project: str, rest: str | None
) -> ShownVerdict:
    """The night's verdict. Where a step has stopped the night since, or none is stored, the page says UNKNOWN.

    Args:
        tables: of the night.
        steps: the runs of the night.
        signals: of the night.
        project: its name, for commands.
        rest: why the night has no rows to score; None: it should have some.
    """
    last = tables.run_date - timedelta(days=STRIP - 1)
    where = (pc.field("run_date") <= tables.run_date) & (pc.field("run_date") >= last)
    stored = {row["run_date"]: row for row in tables.rows("verdicts", _COLUMNS, where)}
    own = stored.get(tables.run_date)
    verdict = _of_night(tables, own, steps, signals, project, rest)
    nights = {night: str(row["verdict"]) for night, row in sorted(stored.items())} | {tables.run_date: verdict.state}
    return ShownVerdict(verdict.state, verdict.sentence, verdict.command, own is not None, tuple(nights.items()))


_COLUMNS = ("run_date", "verdict", "sentence", "command")


def _of_night(
    tables: PinnedTables,
    own: Mapping[str, Any] | None,
    steps: Sequence[JobRun],
    signals: Signals | None,
    project: str,
    rest: str | None,
) -> ShownVerdict:
    stops = [step for step in steps if step.stops_a_night()]
    if stops and (own is None or own["verdict"] not in (ACT, UNKNOWN)):
        stop = next((step for step in stops if step.job != "nightly"), stops[0])
        error = "" if stop.error in (None, stop.status) else f" {shorten(str(stop.error), _LONGEST_ERROR)}"
        why = f"The night stopped: {stop.job} ended as {stop.status}.{error}"
        return _unknown(why, _command("nightly", project, tables.run_date))
    if own is not None:
        return ShownVerdict(str(own["verdict"]), str(own["sentence"] or ""), own["command"], is_stored=True)
    if rest is not None:
        return ShownVerdict(OK, f"Nothing was to be scored: {rest}.", None, is_stored=False)
    if signals is not None:
        return _of_signals(signals)
    why = f"No verdict is stored for {tables.run_date}: monitor has not run for it, or by an earlier version."
    return _unknown(why, _command("monitor", project, tables.run_date))


def _of_signals(signals: Signals) -> ShownVerdict:
    """What the worst signal says, where signals are stored without a verdict."""
    worst = min(signals.all, key=lambda one: place(one.state), default=None)
    if worst is None or not worst.is_amiss:
        return ShownVerdict(OK, "Nothing that was looked at is amiss.", None, is_stored=False)
    return ShownVerdict(worst.state, worst.sentence, worst.command, is_stored=False)


def _unknown(sentence: str, command: str) -> ShownVerdict:
    return ShownVerdict(UNKNOWN, sentence, command, is_stored=False)


def _trains(command: str | None) -> bool:
    return command is not None and "jobs/train.py" in command


def _command(job: str, project: str, night: date) -> str:
    return f"python jobs/{job}.py project={project} run_date={night}"


def tasks(
    verdict: ShownVerdict, signals: Signals | None, triggers: Sequence[ShownTrigger], project: str, night: date
) -> list[Task]:
    """What to do, the verdict's own command first, each command once; a training only where no rule is against it.

    Args:
        verdict: of the night.
        signals: of the night.
        triggers: what the rules of retraining decided; none: there are no rules.
        project: its name, for commands.
        night: its date.
    """
    why_of_verdict = "what the verdict asks for"
    steps = [Task(verdict.command, why_of_verdict)] if verdict.command else []
    amiss: list[ShownSignal] = [] if signals is None else signals.amiss
    rules = [one.rule for one in triggers if one.trains]
    offered = [one for one in amiss if one.state == UNKNOWN or rules or not triggers or not _trains(one.command)]
    steps += [Task(one.command, f"{one.kind}: {one.subject}") for one in offered if one.command]
    if rules and not any(_trains(one.command) for one in steps):
        steps.append(Task(_command("train", project, night), f"retraining: by {' and '.join(rules)}"))
    once: dict[str, Task] = {}
    for step in steps:
        earlier = once.get(step.command)
        if earlier is None or earlier.why == why_of_verdict:
            once[step.command] = step
    return list(once.values())[:_SHOWN_STEPS]
