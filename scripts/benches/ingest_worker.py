"""Loads of the bench `ingest` in one process, by this revision or by Spark alone: `ingesting.py` names the files."""

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import ingest_data
from pyspark.sql import SparkSession

import nightjar
from nightjar.runtime import spark as spark_runtime
from nightjar.settings.environment import Environment
from nightjar.settings.files import File
from nightjar.settings.gates import Gate, GateCheck, GateSeverity
from nightjar.settings.label import Label
from nightjar.settings.project import Project
from nightjar.settings.sources import Column, ColumnType, Source
from nightjar.settings.spine import Spine
from nightjar.settings.task import Task
from nightjar.sources.ingest import ingest
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

TYPES = {
    "id": ColumnType.LONG,
    "at": ColumnType.TIMESTAMP,
    **dict.fromkeys(ingest_data.DOUBLES, ColumnType.DOUBLE),
    **dict.fromkeys(ingest_data.LONGS, ColumnType.LONG),
    **dict.fromkeys(ingest_data.TEXTS, ColumnType.STRING),
}
MEMORY = "8g"
REFUSE, WARN = GateSeverity.REFUSE, GateSeverity.WARN
GATES = {
    "d0_between": Gate(GateCheck.BETWEEN, severity=REFUSE, column="d0", minimum=0, maximum=1),
    "t0_level": Gate(GateCheck.ACCEPTED_VALUES, severity=REFUSE, column="t0", values=ingest_data.LEVELS),
    "d1_not_null": Gate(GateCheck.NOT_NULL, severity=REFUSE, column="d1"),
    "n0_not_null": Gate(GateCheck.NOT_NULL, severity=REFUSE, column="n0"),
    "t1_not_null": Gate(GateCheck.NOT_NULL, severity=REFUSE, column="t1"),
    "d2_between": Gate(GateCheck.BETWEEN, severity=REFUSE, column="d2", minimum=-10, maximum=10),
    "n1_between": Gate(GateCheck.BETWEEN, severity=REFUSE, column="n1", minimum=0, maximum=1_000_000),
    "n2_between": Gate(GateCheck.BETWEEN, severity=REFUSE, column="n2", minimum=0, maximum=1_000_000),
    "t2_pattern": Gate(GateCheck.MATCHES, severity=REFUSE, column="t2", pattern=r"^[0-9]{6}\z"),
    "ordered": Gate(GateCheck.EXPRESSION, severity=REFUSE, expression="d3 <= d4 + 2"),
    "d5_share": Gate(GateCheck.NULL_SHARE, severity=WARN, column="d5", maximum=0.1),
    "d6_mean": Gate(GateCheck.MEAN, severity=WARN, column="d6", minimum=0, maximum=1),
}


def main(engine: str, folder: str, before: str | None = None) -> None:
    """Load what each line names, and say how long it took and how many rows were stored.

    Args:
        engine: `ours` or `spark_copy`.
        folder: where.
        before: the night that the last process there has loaded.
    """
    environment = Environment(
        spark_master="local[*]", warehouse=f"{folder}/warehouse", home=f"{folder}/home", driver_memory=MEMORY
    )
    session = spark_runtime.start(environment, "bench of ingest")
    say({"lib": str(Path(nightjar.__file__).parents[1])})
    previous = None if before is None else date.fromisoformat(before)
    for line in sys.stdin:
        path, day = line.split()
        started = time.monotonic()
        if engine == "ours":
            run_date = date.fromisoformat(day)
            load(session, Warehouse(f"{folder}/warehouse", "bench"), Path(path), run_date, previous, Path(folder))
            previous = run_date
        else:
            copy(session, path, f"{folder}/copy-{day}")
        say({"seconds": time.monotonic() - started} | counted(engine, session, folder, day))
    session.stop()


def load(
    session: SparkSession, warehouse: Warehouse, path: Path, run_date: date, previous: date | None, folder: Path
) -> None:
    source = Source(
        File(str(path)),
        columns={name: Column(kind) for name, kind in TYPES.items()},
        key=["id"],
        event_time="at",
        gates=GATES,
    )
    project = Project(
        name="bench",
        title="Rows",
        zone="UTC",
        first_date="2020-01-01",
        history_until="2024-07-02",
        first_night="2024-07-03",
        sources={"rows": source},
        spine=Spine("rows", ["id"], "at"),
        label=Label("rows", {"id": "id"}, "d0", "1d", task=Task.REGRESSION),
        features={},
    )
    ingest(session, warehouse, project, run_date, previous, str(run_date), folder / "raw", lambda _: None)


def copy(session: SparkSession, path: str, target: str) -> None:
    """Spark reads the CSV with the same types, and writes Delta: no row is checked."""
    schema = ", ".join(f"{name} {kind.value}" for name, kind in TYPES.items())
    session.read.schema(schema).csv(path, header=True).write.format("delta").save(target)


def counted(engine: str, session: SparkSession, folder: str, day: str) -> dict[str, Any]:
    if engine == "spark_copy":
        return {"stored": session.read.format("delta").load(f"{folder}/copy-{day}").count()}
    stored = arrow.read(Warehouse(f"{folder}/warehouse", "bench"), "source_rows", ["ingested_on"])
    return {"stored": stored["ingested_on"].to_pylist().count(date.fromisoformat(day))}


def say(answer: dict[str, Any]) -> None:
    ANSWERS.write(json.dumps(answer) + "\n")
    ANSWERS.flush()


if __name__ == "__main__":
    ANSWERS, sys.stdout = sys.stdout, sys.stderr
    main(*sys.argv[1:])
