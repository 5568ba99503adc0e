"""What a night's monitoring says: one signal for each thing that was looked at, and how bad it is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from nightjar.settings.choices import Choice
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import SIGNALS
from nightjar.tables.runs import Outcome
from nightjar.tables.warehouse import Warehouse


class State(Choice):
    """How bad something is, from good to bad; UNKNOWN is a state of its own: nobody can say."""

    OK = "ok"
    WATCH = "watch"
    ACT = "act"
    UNKNOWN = "unknown"


class Kind(Choice):
    """What has changed, in the terms of the field.

    COVARIATE: what the model is given. PREDICTION: what it answers. PRIOR: how often each outcome comes. CONCEPT: what
    comes of rows that look the same, which labels alone can show. PERFORMANCE: how good the answers are. FAIRNESS: for
    whom. SCHEMA and UPSTREAM: the columns and the systems that they come from. DATA: what was refused or is missing.
    JOBS: what did not run, or ran late. FEEDBACK: what people decide of the answers.
    """

    COVARIATE = "covariate"
    PREDICTION = "prediction"
    PRIOR = "prior"
    CONCEPT = "concept"
    PERFORMANCE = "performance"
    FAIRNESS = "fairness"
    SCHEMA = "schema"
    UPSTREAM = "upstream"
    DATA = "data"
    JOBS = "jobs"
    FEEDBACK = "feedback"


@dataclass(frozen=True)
class Signal:
    """What one look at the night says.

    Attributes:
        kind: what has changed, or would have.
        subject: what it is about, unique in its kind: a column, several that moved together, a metric, a slice.
        state: how bad it is.
        sentence: why, in one sentence that a person on call understands, with the figures that matter.
        command: what to run next; None: nothing is to be done.
        since: the first night of which the same was so; None: not followed.
        evidence: figures, as JSON can say them.
    """

    kind: Kind
    subject: str
    state: State
    sentence: str
    command: str | None = None
    since: date | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


def store(warehouse: Warehouse, signals: Sequence[Signal], run_date: date, run_id: str) -> Outcome:
    """Replace the night's rows of the table `signals`."""
    rows = [
        {
            "kind": one.kind.value,
            "subject": one.subject,
            "state": one.state.value,
            "sentence": one.sentence,
            "command": one.command,
            "since": one.since,
            "evidence": json.dumps(one.evidence, allow_nan=False),
            "run_date": run_date,
            "run_id": run_id,
        }
        for one in signals
    ]
    version = arrow.replace(warehouse, SIGNALS, rows, {"run_date": run_date}, run_id)
    return Outcome(outputs={SIGNALS.name: version}, rows={SIGNALS.name: len(rows)})
