"""Who is told of a night: of a step that stops it an alert and a verdict, and word of alerts as a job ends."""

import logging
import uuid

from nightjar.alerts import delivery, recording
from nightjar.alerts.recording import STOPPED, Alert
from nightjar.masking.values import masking_of
from nightjar.monitoring import verdict
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.monitoring.verdict import Verdict
from nightjar.pipeline.step import Step
from nightjar.registry import events
from nightjar.runtime import logs, outages
from nightjar.settings import secret_values
from nightjar.settings.connections import SecretReference
from nightjar.settings.jobs import Job, JobName
from nightjar.settings.monitoring.alerting import Severity
from nightjar.settings.project import Project
from nightjar.tables import failures
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.alerts")


def record_stop(step: Step[Job], name: JobName, error: str) -> None:
    """Record that a step has stopped the night: nobody can say whether its scores can be trusted. It never raises.

    Args:
        step: that has stopped.
        name: of its job.
        error: why, as `runs` has it.
    """
    warehouse, night = step.warehouse.without_leases(), (step.run_date, step.run_id)
    command = f"python jobs/nightly.py project={step.project.name} run_date={step.run_date}"
    sentence = f"The night has stopped: {name.value} failed. {error}"
    signal = Signal(Kind.JOBS, name.value, State.UNKNOWN, sentence, command, step.run_date)
    try:
        with outages.translate_errors(), failures.translate_errors():
            recording.record(warehouse, [Alert(STOPPED, name.value, Severity.CRITICAL, sentence)], *night)
            champion = events.find_champion(warehouse, step.run_date)
            number = None if champion is None else champion.number
            verdict.store(warehouse, Verdict(State.UNKNOWN, sentence, command, [signal]), *night, number)
    except Exception:
        log.exception("that the night has stopped could not be recorded")


def deliver(warehouse: Warehouse, project: Project) -> None:
    """Send word of what has changed to the project's sinks. It never raises: a dead sink fails no job."""
    sinks = project.monitoring.alerting.sinks
    if not sinks:
        return
    references = [one for sink in sinks.values() for one in (sink.key, sink.secret_url) if one is not None]
    logs.add_secrets(_present(references))
    try:
        with outages.translate_errors(), failures.translate_errors():
            delivery.deliver(warehouse, sinks, uuid.uuid4().hex, masking_of(project).text)
    except Exception:
        log.exception("word of alerts could not be sent, or not recorded")


def _present(references: list[SecretReference]) -> list[str]:
    return [value for value, problem in map(secret_values.read, references) if not problem]
