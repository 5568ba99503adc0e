"""The night's verdict: whether its scores can be trusted, why, and what to do; a pure function of its signals."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import VERDICTS
from nightjar.tables.runs import Outcome
from nightjar.tables.warehouse import Warehouse

ORDER = (
    *(Kind.JOBS, Kind.SCHEMA, Kind.UPSTREAM, Kind.DATA, Kind.PERFORMANCE, Kind.CONCEPT, Kind.PRIOR),
    *(Kind.PREDICTION, Kind.COVARIATE, Kind.FAIRNESS, Kind.FEEDBACK),
)
"""Which of several signals that are equally bad speaks for the night: causes before what follows from them."""
LOOKS = {
    "what the model was given": (Kind.COVARIATE, Kind.PREDICTION),
    "how its answers turned out": (Kind.PERFORMANCE, Kind.CONCEPT, Kind.PRIOR),
}
"""What somebody has to know to trust a model, in words -> kinds of signals that say it; one that knows is enough."""
ALWAYS = (Kind.JOBS, Kind.SCHEMA, Kind.UPSTREAM, Kind.DATA)
"""Kinds of which each single UNKNOWN makes the verdict one: what has not run, or is not there, can be anything."""
TRAIN = "jobs/train.py"
"""What a command that trains has in it."""
RANK = {State.ACT: 0, State.UNKNOWN: 1, State.WATCH: 2, State.OK: 3}


@dataclass(frozen=True)
class Verdict:
    """Whether a night's scores can be trusted.

    Attributes:
        state: ACT where a signal is; else UNKNOWN where what has to be known is not; else WATCH where a signal is.
        sentence: why, in one sentence.
        command: what to run next; None: nothing is to be done.
        signals: those that decide, the one that speaks first.
    """

    state: State
    sentence: str
    command: str | None
    signals: Sequence[Signal]


def judge(signals: Iterable[Signal], *, has_rows: bool = True, may_train: bool = True) -> Verdict:
    """The verdict of a night.

    Args:
        signals: all of the night's.
        has_rows: whether the night has scores; without any, on a weekday that has none, inputs need not be looked at.
        may_train: whether its command may be one to train: not where the rules of retraining have just decided
            against it.

    Example:
        >>> worse = "Log loss is 0.61, expected 0.35 to 0.45."
        >>> lost = Signal(Kind.PERFORMANCE, "log loss", State.ACT, worse, "python jobs/train.py")
        >>> drifted = Signal(Kind.COVARIATE, "distance", State.WATCH, "Distances are in kilometres.")
        >>> verdict = judge([drifted, lost])
        >>> verdict.state.word, verdict.sentence, verdict.command
        ('act', 'Log loss is 0.61, expected 0.35 to 0.45. Other signals: 1 WATCH.', 'python jobs/train.py')
    """
    looks = [*signals]
    looks += _missing(looks, has_rows=has_rows)
    deciding = [one for one in looks if one.state in (State.ACT, State.WATCH) or _matters(one, looks)]
    if not deciding:
        return Verdict(State.OK, _all_well(looks), None, ())
    deciding.sort(key=lambda one: (RANK[one.state], ORDER.index(one.kind), one.subject))
    first, others = deciding[0], deciding[1:]
    is_training = TRAIN in (first.command or "") and first.state is not State.UNKNOWN
    command = None if is_training and not may_train else first.command
    return Verdict(first.state, f"{first.sentence}{_others(others)}", command, deciding)


def _matters(signal: Signal, looks: Sequence[Signal]) -> bool:
    """Whether an UNKNOWN leaves something open that has to be known."""
    if signal.state is not State.UNKNOWN:
        return False
    if signal.kind in ALWAYS:
        return True
    kinds = next((kinds for kinds in LOOKS.values() if signal.kind in kinds), ())
    return bool(kinds) and not any(one.kind in kinds and one.state is not State.UNKNOWN for one in looks)


def _missing(looks: Sequence[Signal], *, has_rows: bool) -> list[Signal]:
    """An UNKNOWN for each question that no signal speaks of."""
    sayings = {what: any(one.kind in kinds for one in looks) for what, kinds in LOOKS.items()}
    return [
        Signal(LOOKS[what][0], what, State.UNKNOWN, f"Nothing is known of {what}: nobody has looked at it.")
        for what, is_answered in sayings.items()
        if not is_answered and has_rows
    ]


def _all_well(looks: Sequence[Signal]) -> str:
    open_ones = sum(one.state is State.UNKNOWN for one in looks)
    well = len(looks) - open_ones
    count = f"{well} {'look is' if well == 1 else 'looks are'} as expected" if looks else "There was nothing to look at"
    return f"{count}{f'; of {open_ones} nothing can be said yet' if open_ones else ''}."


def _others(others: Sequence[Signal]) -> str:
    counts = Counter(one.state for one in others)
    parts = [
        f"{counts[state]} {state.word.upper()}" for state in (State.ACT, State.UNKNOWN, State.WATCH) if counts[state]
    ]
    return f" Other signals: {', '.join(parts)}." if parts else ""


def store(warehouse: Warehouse, verdict: Verdict, run_date: date, run_id: str, model_version: str | None) -> Outcome:
    """Replace the night's row of the table `verdicts`."""
    row: dict[str, Any] = {
        "verdict": verdict.state.value,
        "sentence": verdict.sentence,
        "command": verdict.command,
        "evidence": json.dumps([_evidence(one) for one in verdict.signals]),
        "model_version": model_version,
        "run_date": run_date,
        "run_id": run_id,
    }
    version = arrow.replace(warehouse, VERDICTS, [row], {"run_date": run_date}, run_id)
    return Outcome(outputs={VERDICTS.name: version}, rows={VERDICTS.name: 1})


def _evidence(signal: Signal) -> dict[str, Any]:
    return {
        "kind": signal.kind.value,
        "subject": signal.subject,
        "state": signal.state.value,
        "sentence": signal.sentence,
        "since": None if signal.since is None else signal.since.isoformat(),
    }
