"""How a run goes: what it is measured by while it runs, and the alert where it takes more than its budget."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from nightjar.alerts import recording
from nightjar.alerts.recording import Alert
from nightjar.errors import NightjarError
from nightjar.pipeline.sessions import Sessions
from nightjar.pipeline.step import Step
from nightjar.runtime.memory import Sampler
from nightjar.settings.jobs import Job, JobName
from nightjar.settings.monitoring.alerting import Severity
from nightjar.settings.serving.budgets import Budget
from nightjar.tables.runs import Health, Outcome

log = logging.getLogger("nightjar.job")
GIB = 1 << 30
DRIVER = "driver"
"""The part of a run's time in which no stage of Spark ran."""


@dataclass
class Meter:
    """Measures a run from its creation on.

    Attributes:
        started: wall clock.
        seconds: wall time, once it is stopped.
    """

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    _clock: float = field(default_factory=time.monotonic)
    _sampler: Sampler = field(default_factory=Sampler)

    def stop(self, sessions: Sessions, outcome: Outcome) -> Health:
        """End the measurement; what it gives. A Spark that does not answer any more tells nothing of its stages."""
        self.seconds = time.monotonic() - self._clock
        memory, rows = self._sampler.stop(), sum(outcome.rows.values())
        health = Health(
            rows_per_second=rows / self.seconds if rows and self.seconds else None, peak_memory_bytes=memory
        )
        stages = sessions.stages(self.started)
        if stages is None:
            return health
        driver = max(self.seconds - sum(stages.seconds.values()), 0.0)
        seconds = {name: round(value, 3) for name, value in ({DRIVER: driver} | stages.seconds).items()}
        return Health(health.rows_per_second, seconds, stages.spilled, stages.skew, memory)


def exceeded(budget: Budget, seconds: float, health: Health) -> Iterator[str]:
    """What a run has taken more than its budget allows, in words, the key of the budget first.

    Example:
        >>> list(exceeded(Budget(seconds=60), 75.25, Health()))
        ['seconds 75.2, at most 60']
    """
    memory, spilled = health.peak_memory_bytes, health.spilled_bytes
    measured = {
        "seconds": seconds,
        "peak_memory": None if memory is None else memory / GIB,
        "spilled": None if spilled is None else spilled / GIB,
        "skew": health.skew,
    }
    for name, value in measured.items():
        most = getattr(budget, name)
        if most is not None and value is not None and value > most:
            yield f"{name} {value:.3g}, at most {most:g}"
    least, rate = budget.rows_per_second, health.rows_per_second
    if least is not None and rate is not None and rate < least:
        yield f"rows_per_second {rate:.3g}, at least {least:g}"


def alert(name: JobName, step: Step[Job], seconds: float, health: Health) -> None:
    """Record an alert where a run that is done has taken more than its budget; a failure to record it is logged."""
    budget = step.project.serving.budgets.get(name.value)
    problems = [] if budget is None else list(exceeded(budget, seconds, health))
    if not problems:
        return
    where = f"project.serving.budgets.{name.value}"
    message = (
        f"{name.value} for {step.run_date} has taken more than {where} allows: {'; '.join(problems)}. What took its "
        f"time stands in table runs, run {step.run_id}: see docs/runbook.md, A step takes more than its budget."
    )
    evidence = {"seconds": seconds, "stages": dict(health.stages or {}), "problems": problems}
    try:
        slow = Alert("budget", name.value, Severity.WARNING, message, evidence)
        recording.record(step.warehouse, [slow], step.run_date, step.run_id)
    except NightjarError as error:
        log.warning("the alert could not be recorded: %s", error)
