"""What follows for the challenger of a night from what the night says of it: the next share, all, or back."""

from functools import partial

from nightjar.alerts import recording
from nightjar.monitoring.judging import Judged
from nightjar.pipeline.step import Step
from nightjar.registry import aliases, canary
from nightjar.settings import jobs
from nightjar.tables import arrow
from nightjar.tables.definitions import MODEL_EVENTS
from nightjar.tables.runs import Outcome


def advance(step: Step[jobs.Monitor], judged: Judged | None) -> Outcome:
    """Record what holds from the next night on, and raise the alerts; a rerun finds it recorded.

    Args:
        step: of the night that was judged.
        judged: None: nobody challenges the champion.
    """
    outcome, alerts = Outcome(), () if judged is None else judged.alerts
    if judged is not None and judged.judgement is not None:
        of_night = (step.run_date, step.run_id, judged.judgement, judged.evidence)
        move = canary.advance(step.warehouse, step.project.serving.canary, *of_night)
        if move is None:
            return outcome
        outcome.outputs[MODEL_EVENTS.name] = arrow.version(step.warehouse, MODEL_EVENTS.name)
        step.on_done.append(partial(aliases.repeat, step.home, step.warehouse))
    outcome.outputs |= recording.record(step.warehouse, alerts, step.run_date, step.run_id)
    return outcome
