"""What follows for the challenger of a night from what the night says of it: the next share, all, or back."""

from collections.abc import Sequence
from functools import partial

import pyarrow.compute as pc

from nightjar.alerts import recording
from nightjar.alerts.recording import Alert
from nightjar.monitoring.judging import Judged
from nightjar.pipeline import cards
from nightjar.pipeline.step import Step
from nightjar.registry import aliases, canary, events
from nightjar.settings import jobs
from nightjar.tables import arrow
from nightjar.tables.definitions import MODEL_EVENTS
from nightjar.tables.runs import Outcome
from nightjar.tables.serving_definitions import ALERTS


def advance(step: Step[jobs.Monitor], judged: Judged | None) -> Outcome:
    """Record what holds from the next night on, and raise the alerts; a rerun finds it recorded, and completes it.

    Args:
        step: of the night that was judged.
        judged: None: nobody challenges the champion.
    """
    outcome, alerts = Outcome(), () if judged is None else _unrecorded(step, judged.alerts)
    if judged is not None and judged.judgement is not None:
        champion = events.find_champion(step.warehouse)
        of_night = (step.run_date, step.run_id, judged.judgement, judged.evidence)
        move = canary.advance(step.warehouse, step.project.serving.canary, *of_night)
        # A run that was killed between the two commits has left the event, and its alert to this one.
        if move is None and not (alerts and canary.is_rolled_back(step.warehouse, step.run_date)):
            return outcome
        if move is not None:
            outcome.outputs[MODEL_EVENTS.name] = arrow.version(step.warehouse, MODEL_EVENTS.name)
        step.on_done.append(partial(aliases.repeat, step.home, step.warehouse))
        step.on_done.append(partial(cards.write_of_run, step, champion))
    outcome.outputs |= recording.record(step.warehouse, alerts, step.run_date, step.run_id)
    return outcome


def _unrecorded(step: Step[jobs.Monitor], alerts: Sequence[Alert]) -> list[Alert]:
    """The alerts that no run of the night has recorded."""
    if not alerts or not arrow.exists(step.warehouse, ALERTS.name):
        return list(alerts)
    of_night = arrow.read(step.warehouse, ALERTS.name, ["kind", "subject"], pc.field("run_date") == step.run_date)
    recorded = {(row["kind"], row["subject"]) for row in of_night.to_pylist()}
    return [one for one in alerts if (one.kind, one.subject) not in recorded]
