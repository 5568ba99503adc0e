"""What a night's monitoring ends with: its signals, its verdict, and what follows from them."""

from collections.abc import Sequence

import pyarrow.compute as pc

from nightjar.alerts import following
from nightjar.monitoring import night_looks, overdue, signals, triggers, verdict
from nightjar.monitoring.signals import Signal
from nightjar.pipeline.step import Step
from nightjar.registry import events
from nightjar.settings import jobs
from nightjar.tables import arrow
from nightjar.tables.predictions import CHAMPION_ROLE
from nightjar.tables.runs import Outcome


def conclude(step: Step[jobs.Monitor], measured: Sequence[Signal]) -> Outcome:
    """Store the night's signals, its verdict, what its triggers decide and what changes of alerts.

    Args:
        step: of the night.
        measured: what drift and performance say.
    """
    night, champion = (step.run_date, step.run_id), events.find_champion(step.warehouse, step.run_date)
    number = None if champion is None else champion.number
    where = (step.warehouse, step.project, step.run_date)
    every = [*measured, *night_looks.looks(*where), *overdue.look(*where)]
    outcome = signals.store(step.warehouse, every, *night)
    decisions = triggers.decide(*where)
    may_train = not decisions or any(one.decision == triggers.TRAIN for one in decisions)
    of_night = verdict.judge(every, has_rows=_has_scores(step), may_train=may_train)
    outcome |= verdict.store(step.warehouse, of_night, *night, number)
    outcome |= triggers.store(step.warehouse, decisions, *night, number)
    return outcome | following.follow(step.warehouse, step.project.monitoring.alerting, *night)


def _has_scores(step: Step[jobs.Monitor]) -> bool:
    of_night = (pc.field("run_date") == step.run_date) & (pc.field("role") == CHAMPION_ROLE)
    return bool(len(arrow.read(step.warehouse, "scores", ["run_date"], of_night)))
