"""Runs a job's own file in this process, and kills a process at one moment of one of its commits.

    python -m faults.killing SPEC jobs/nightly.py project=machines ...

SPEC is JSON: {"record": FILE} appends the table of each commit to a file; {"table": T, "nth": N, "moment": M,
"victim": V, "warehouse": FOLDER, "marker": FILE} kills V (driver, worker, jvm, executor) before, during or after the
Nth commit of table T by this process, and writes whom it has killed to the file; {} does nothing. "Before" is while
tasks write the commit's rows, where tasks do; "during" is at the first sign of it in the table's log.
Leases are told from dead ones within seconds here, so that a rerun need not wait for a minute.
"""

import json
import os
import runpy
import signal
import sys
import threading
import time
from collections import Counter
from functools import wraps
from pathlib import Path

from nightjar.tables import lease, sink, transaction
from nightjar.tables.lease import Pace

QUICK_PACE = Pace(beat=2, patience=6, look=0.2)
LIMIT = 20.0  # seconds after which a victim that was never there is given up
PYTHON_WORKER = b"nightjar.runtime.daemon", b"pyspark.daemon", b"pyspark/daemon"


def main() -> None:
    """Patch what commits, then run the job."""
    spec, command = json.loads(sys.argv[1]), sys.argv[2:]
    lease.hold.__wrapped__.__defaults__ = (QUICK_PACE,)
    if "record" in spec:
        _on_commit(lambda table, _nth, commit: _recorded(table, commit, Path(spec["record"])))
    elif spec:
        _on_commit(lambda table, nth, commit: _attacked(table, nth, commit, spec))
        if spec["moment"] == "before" and spec["victim"] != "driver":
            _while_tasks_write(spec)
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")


def _on_commit(around) -> None:
    original, counts = transaction._try_commit, Counter()

    @wraps(original)
    def commit(delta_table, table, *rest):
        counts[table] += 1
        return around(table, counts[table], lambda: original(delta_table, table, *rest))

    transaction._try_commit = commit


def _recorded(table, commit, file):
    done = commit()
    with file.open("a") as lines:
        lines.write(f"{table}\n")
    return done


def _attacked(table, nth, commit, spec):
    if (table, nth) != (spec["table"], spec["nth"]):
        return commit()
    if spec["moment"] == "before":
        kill(spec)
        return commit()
    if spec["moment"] == "after":
        done = commit()
        kill(spec)
        return done
    watcher = _watch(Path(spec["warehouse"]) / table / "_delta_log", spec)
    done = commit()
    os.waitpid(watcher, 0)  # of a driver that lives until here, the kill is on its way
    return done


def _watch(log: Path, spec) -> int:
    """A process that kills the victim as soon as the log has a new entry, a temporary one among them."""
    before, driver, java = _entries(log), os.getpid(), _java()
    victims = _victims(spec["victim"], driver, java)
    ready, told = os.pipe()
    watcher = os.fork()
    if watcher:
        os.read(ready, 1)
        return watcher
    os.write(told, b".")
    deadline = time.monotonic() + LIMIT
    while _entries(log) == before and time.monotonic() < deadline:
        pass
    _end(victims, spec)
    os._exit(0)


def _entries(log: Path) -> set[str]:
    with os.scandir(log) as entries:
        return {entry.name for entry in entries}


def _while_tasks_write(spec) -> None:
    """Kill as soon as there is a victim while tasks write the rows of the table; then its commit is left alone."""
    original, struck = sink.collect, []

    @wraps(original)
    def collect(rows, make, into):
        if into.table.name != spec["table"] or struck:
            return original(rows, make, into)
        struck.append(into)
        spec["table"] = None
        thread = threading.Thread(target=kill, args=(spec, LIMIT), daemon=True)
        thread.start()
        return original(rows, make, into)

    sink.collect = collect


def kill(spec, patience: float = 0.0) -> None:
    """SIGKILL, which nobody can handle; waits for a victim that comes and goes, such as a Python worker."""
    deadline = time.monotonic() + patience
    while True:
        pids = _victims(spec["victim"], os.getpid(), _java())
        _end(pids, spec)
        if pids or time.monotonic() >= deadline:
            return
        time.sleep(0.005)


def _end(pids: list[int], spec) -> None:
    for pid in pids:
        with Path(spec["marker"]).open("a") as marker:
            marker.write(f"{pid}\n")
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _java() -> int | None:
    from pyspark import SparkContext

    process = getattr(SparkContext._gateway, "proc", None)
    return None if process is None or process.poll() is not None else process.pid


def _victims(victim: str, driver: int, java: int | None) -> list[int]:
    if victim == "driver":
        return [driver]
    if victim == "jvm":
        return [] if java is None else [java]
    commands = _commands()
    if victim == "executor":
        wanted = b"CoarseGrainedExecutorBackend", f":{_driver_port()}".encode()
        return [pid for pid, words in commands.items() if all(part in words for part in wanted)][:1]
    own = _tree(driver, commands)
    workers = [pid for pid in own if any(name in commands[pid] for name in PYTHON_WORKER)]
    return [pid for pid in workers if _parent(pid) in workers]  # the forks of a daemon, not itself


def _driver_port() -> str:
    """The port at which executors, wherever they run, have been told to reach this driver."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    return "none" if context is None else str(context.getConf().get("spark.driver.port"))


def _commands() -> dict[int, bytes]:
    """Process -> its command line."""
    commands = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            commands[int(folder.name)] = (folder / "cmdline").read_bytes()
        except OSError:
            continue
    return commands


def _tree(driver: int, commands: dict[int, bytes]) -> set[int]:
    """The driver and all processes that it has started."""
    tree, new, parents = {driver}, {driver}, {pid: _parent(pid) for pid in commands}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new} - tree
        tree |= new
    return tree & set(commands)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


if __name__ == "__main__":
    main()
