"""`scripts/bench review`: the page of reviewers with many cases, half of them decided, as a client of it asks for it.

    first      the list, of a server that has read nothing yet
    list       the list once more
    acted      the list just after somebody has decided a case
    page       a later page of all cases, by due date
    search     the cases whose key has a text
    case       one case, with past cases that are like it

Seconds are those of processors, of server and client together, which are threads of one process: what else the machine
does is not in them. The data are the loans of tests/review; the last hundred decisions are commits of their own.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from busy import ROOT
from measure import console

sys.path.append(str(ROOT / "tests"))

# isort: split
from nightjar.review import tokens
from nightjar.review.desk import Act, Desk
from nightjar.tables.reviews import DECIDE
from nightjar.tables.warehouse import Warehouse
from review import loans
from review.serving import Client, served, token_of

SINGLE = 100
"""Decisions that are commits of their own."""


def measured(cases: int, repeats: int) -> dict[str, Any]:
    """The figures of `review`.

    Args:
        cases: at least so many are in the queue.
        repeats: servers that are started one after another.
    """
    runs: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as folder:
        warehouse, project = Warehouse(f"{folder}/warehouse", "loans"), loans.project()
        warehouse.check_writable()
        loans.store(warehouse, project, cases, past=20_000, night=datetime.now(UTC).date() - timedelta(days=1))
        desk = Desk(warehouse, project, "bench-1")
        ids, now = desk.queue().ids, datetime.now(UTC)
        half = ids[: len(ids) // 2]
        desk.act([Act(name, DECIDE, "refuse", "a reason") for name in half[SINGLE:]], "ben", "bench", now)
        for name in half[:SINGLE]:
            desk.act([Act(name, DECIDE, "refuse", "a reason")], "ben", "bench", now)
        of_tokens = tokens.folder_of(Path(folder) / "home", "loans")
        token = token_of(of_tokens, "ada")
        for number in range(repeats):
            times = _times(Desk(warehouse, project, "bench-2"), of_tokens, token, ids[-1 - number])
            for name, seconds in times.items():
                runs.setdefault(name, []).append(seconds)
            console.print(", ".join(f"{name} {seconds:.3f} s" for name, seconds in times.items()))
    return {
        "bench": "review",
        "rows": {"cases": len(ids), "decided": len(half)},
        "seconds": {name: median(times) for name, times in runs.items()},
        "ratio": {},
        "runs": runs,
        "peak_memory_mb": {},
        "errors": {},
    }


def _times(desk: Desk, of_tokens: Path, token: str, undecided: str) -> dict[str, float]:
    with served(desk, of_tokens) as port:
        client = Client(port)
        client.enter(token)
        times = {name: _seconds(client, "/") for name in ("first", "list")}
        desk.act([Act(undecided, DECIDE, "refuse", "a reason")], "ben", "bench", datetime.now(UTC))
        times["acted"] = _seconds(client, "/")
        times["page"] = _seconds(client, "/?view=all&order=due&page=100")
        times["search"] = _seconds(client, "/?view=all&text=a0123")
        times["case"] = _seconds(client, f"/cases/{undecided}")
    return times


def _seconds(client: Client, path: str) -> float:
    started = time.process_time()
    status, _, _ = client.ask("GET", path)
    assert status == 200, (path, status)  # noqa: S101
    return time.process_time() - started
