"""The folds of a search in MLflow, each a nested run."""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

PARENT, FOLD = "mlflow.parentRunId", "nightjar.fold"
_OF_CLASS, _REFUSED = re.compile(r"\[(.*)\]"), re.compile(r"[^\w\- ]", re.ASCII)
LONGEST_CLASS = 150
"""Of the 250 characters of a metric's name, those that a class may have."""
LONGEST_TAG = 8000
"""The length to which MLflow truncates a tag."""


@dataclass(frozen=True)
class Trial:
    """One fit of the search: one candidate on one fold.

    Attributes:
        seed: of every random choice in the fit.
        seconds: its duration.
        measures: metrics on the fold's test rows; None: undefined there. Empty for a fit that failed.
        parameters: the candidate's.
        failure: the traceback of a fit that failed, otherwise None.
    """

    candidate: str
    fold: str
    seed: int
    seconds: float
    measures: Mapping[str, float | None]
    parameters: Mapping[str, Any]
    failure: str | None = None


def log(client: MlflowClient, experiment: str, parent: str, trial: Trial) -> None:
    """Log a finished or failed run, nested in the parent run.

    It takes three calls with four commits, which are most of the time. Tags are set by the first call, because they
    would cost a commit of their own later.
    """
    run = client.create_run(experiment, run_name=f"{trial.candidate} {trial.fold}", tags=_tags(trial, parent))
    params = [Param(name, str(value)) for name, value in trial.parameters.items()]
    client.log_batch(run.info.run_id, metrics=metrics({**trial.measures, "seconds": trial.seconds}), params=params)
    client.set_terminated(run.info.run_id, "FINISHED" if trial.failure is None else "FAILED")


def metrics(values: Mapping[str, float | None]) -> list[Metric]:
    """The values that are defined, as of now: recall[late] is recall/late.

    Of a class whose value MLflow may refuse, that is _, and 8 digits of the value's SHA-256 tell it from others.
    """
    now = int(time.time() * 1000)
    return [Metric(_name(name), value, now, 0) for name, value in values.items() if value is not None]


def _name(figure: str) -> str:
    return _OF_CLASS.sub(lambda match: f"/{_name_of_class(match[1])}", figure)


def _name_of_class(value: str) -> str:
    name = _REFUSED.sub("_", value)[:LONGEST_CLASS]
    return name if name == value else f"{name} {hashlib.sha256(value.encode()).hexdigest()[:8]}"


def _tags(trial: Trial, parent: str) -> dict[str, str]:
    tags = {
        PARENT: parent,
        "nightjar.candidate": trial.candidate,
        FOLD: trial.fold,
        "nightjar.seed": str(trial.seed),
    }
    # The end of a traceback names the error.
    return tags if trial.failure is None else tags | {"nightjar.failure": trial.failure[-LONGEST_TAG:]}
