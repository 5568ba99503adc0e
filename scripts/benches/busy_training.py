"""A training's fits, by whichever revision is on the path: `busy.py` starts it, says when, and reads what they took.

final    what the driver does by itself: judge winner and baseline on the final period, and refit the winner
search   two candidates of boosting and the baseline on five folds, by Ray's workers
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import nightjar  # before any library that starts threads: it says how they wait

# isort: split
import numpy as np
import search_case

from nightjar.config import compose_job, make_settings
from nightjar.learning.search import proposals
from nightjar.learning.search.tune import run as run_search
from nightjar.learning.splits.folding import Fold
from nightjar.runtime import ray
from nightjar.settings.environment import Environment
from nightjar.settings.jobs import JobName
from nightjar.settings.learning import Search


def first_of(*paths: str) -> Any:
    """The first of these that there is, each as module:name: revisions before had other names."""
    for path in paths:
        module, name = path.split(":")
        with suppress(ImportError, AttributeError):
            return getattr(import_module(f"nightjar.learning.{module}"), name)
    raise ImportError(f"none of {', '.join(paths)} can be imported")


FIT_CANDIDATE = first_of("fitting.fit:fit_candidate", "fitting:fit_candidate", "fitting:fitted")
OPEN_LEDGER = first_of("search.ledger:open_ledger", "search.ledger:opened")
Candidate = first_of("fitting.candidates:Candidate", "search.candidates:Candidate")
judge = first_of("judgement:judge", "evidence:judge", "final:judge")
LIB = Path(nightjar.__file__).parents[1]
PROJECT = ["project=flights", "run_date=2013-10-04"]  # whose task and zone are asked for
DAYS, FINAL_DAYS = 280, 28


def main(kind: str, rows: int, columns: int) -> None:
    """Get ready, wait for a line, work, and say seconds, processor seconds of this process, and what was found."""
    case = search_case.made(rows, columns)
    settings = search_case.search(search_case.SCIKIT_LEARN, stopping=False)
    settings.candidates["boosting"].space = {"learning_rate": [0.05, 0.1]}
    if kind == "final":
        measured(final(dated(case.problem.rows), settings))
        return
    with (
        tempfile.TemporaryDirectory(prefix="nightjar-bench-") as folder,
        ray.session(Environment(home=folder)),
        OPEN_LEDGER(Path(folder), case.problem.key()) as book,
    ):
        measured(lambda: run_search(case.problem, settings, book).best().name)


def measured(work: Callable[[], float | str]) -> None:
    print(json.dumps({"lib": str(LIB)}), flush=True)
    sys.stdin.readline()
    started, processor = time.perf_counter(), time.process_time()
    found = work()
    took = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - processor}
    print(json.dumps(took | {"found": found}), flush=True)


def dated(rows: Any) -> Any:
    """The same rows, spread over days in their order."""
    return replace(rows, day=rows.day[0] + np.arange(len(rows.day)) * DAYS // len(rows.day))


def final(rows: Any, settings: Search) -> Callable[[], float]:
    """Judges the winner on the final period, and refits it on all rows; its ROC AUC on the former."""
    project = make_settings(compose_job(LIB.parent / "conf", JobName.TRAIN, PROJECT)).project
    late = rows.day > rows.day[-1] - FINAL_DAYS
    start, end = rows.day[late][0].item(), rows.day[-1].item()
    period = Fold("final period", start, end, np.flatnonzero(~late), np.flatnonzero(late))
    winner = Candidate("boosting", replace(settings.candidates["boosting"], space={}))

    clusters = []
    if "clusters" in signature(judge).parameters:  # revisions before had none
        from nightjar.learning.clusters import clusters_of  # noqa: PLC0415

        clusters = [clusters_of(rows, period.test, period.start, period.end, project.label, settings)]

    def judge_and_refit() -> float:
        judged = judge(rows, period, *clusters, winner, proposals.baselines(settings), project, settings)
        evidence = judged[0] if isinstance(judged, tuple) else judged.evidence
        FIT_CANDIDATE(rows, np.arange(len(rows.day)), end + timedelta(days=1), winner, project, settings)
        return float(evidence.candidate["roc_auc"]["estimate"])

    return judge_and_refit


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
