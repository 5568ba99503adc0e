"""Nights of flights in one process, by whichever revision is on the path: `night.py` names the dates."""

import json
import sys
import time
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import nightjar
from nightjar.config import compose_job, make_settings
from nightjar.pipeline import nightly
from nightjar.pipeline.sessions import Sessions
from nightjar.settings.jobs import JobName
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

LIB = Path(nightjar.__file__).parents[1]


def context_class() -> Any:
    """What all steps share; a revision before had it elsewhere."""
    for module in ("execution", "job"):
        with suppress(AttributeError, ImportError):
            return import_module(f"nightjar.pipeline.{module}").Context
    raise ImportError("no module of nightjar.pipeline has a Context")


def main(overrides: list[str]) -> None:
    """Run the night of each date that is read, with the steps after it, and say how long it and each of them took."""
    composed = compose_job(LIB.parent / "conf", JobName.NIGHTLY, overrides)
    settings = make_settings(composed)
    warehouse = Warehouse(settings.environment.warehouse, settings.project.name)
    sessions = Sessions(settings.environment, "bench of nights")
    context = context_class()(settings, "bench", sessions, warehouse, "bench")
    say({"lib": str(LIB)})
    for line in sys.stdin:
        run_date, *steps = line.split()
        started, before = time.monotonic(), set(run_ids(warehouse))
        nightly.run(replace(context, settings=replace(settings, run_date=run_date, only=steps)))
        seconds = time.monotonic() - started
        rows = [row for row in runs(warehouse) if row["run_id"] not in before]
        say({"seconds": seconds, **{row["job"]: row["seconds"] for row in rows}})


def run_ids(warehouse: Warehouse) -> list[str]:
    return [row["run_id"] for row in runs(warehouse)]


def runs(warehouse: Warehouse) -> list[dict[str, Any]]:
    if not arrow.exists(warehouse, "runs"):
        return []
    return arrow.read(warehouse, "runs", ["run_id", "job", "seconds"]).to_pylist()


def say(answer: dict[str, Any]) -> None:
    ANSWERS.write(json.dumps(answer) + "\n")
    ANSWERS.flush()


if __name__ == "__main__":
    ANSWERS, sys.stdout = sys.stdout, sys.stderr
    main(sys.argv[1:])
