"""Scores of the bench `score`, in one process for each engine: `score_engines.py` says what is scored and by whom.

Each line that comes in names a model; what is said of it is the seconds from stored columns to stored scores. Those
go to a file, in the order of the entities.
"""

import nightjar  # noqa: F401  (before any library that starts threads: it says how they wait)

# isort: split
import json
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from score_case import KEY, NAMES, NIGHT, Place, prepare, project

Score = Callable[[str], pa.Table]
"""The name of a model -> how to read what was stored."""


def ours(place: Place) -> Callable[[str], Callable[[], pa.Table]]:
    """The step `score` as the job runs it, with its leases and its row in `runs`, in one session."""
    from nightjar.pipeline.execution import perform  # noqa: PLC0415  (each process loads what it needs)
    from nightjar.pipeline.sessions import Sessions  # noqa: PLC0415
    from nightjar.pipeline.step import Step  # noqa: PLC0415
    from nightjar.settings.jobs import JobName  # noqa: PLC0415
    from nightjar.settings.jobs import Score as Settings  # noqa: PLC0415

    sessions = Sessions(place.environment, "bench")

    def score(name: str) -> Callable[[], pa.Table]:
        settings = Settings(environment=place.environment, project=project(name), run_date=NIGHT.isoformat())
        warehouse = place.warehouse(name)
        step: Any = Step(uuid.uuid4().hex, NIGHT, warehouse, settings, sessions, "bench")
        perform(JobName.SCORE, step, "bench")
        return lambda: DeltaTable(warehouse.path("scores")).to_pyarrow_table(columns=[KEY, "score"])

    return score


def spark_udf(place: Place) -> Callable[[str], Callable[[], pa.Table]]:
    """MLflow's own, on a model that MLflow logs, in a session with our options."""
    import mlflow  # noqa: PLC0415  (each process loads what it needs)
    from pyspark.sql import functions as sf  # noqa: PLC0415

    from nightjar.runtime import spark  # noqa: PLC0415

    session = spark.start(place.environment, "bench")

    def score(name: str) -> Callable[[], pa.Table]:
        model, target = place.folder / "models" / f"mlflow-{name}", place.folder / "results" / f"spark_udf-{name}"
        if not (model / "MLmodel").exists():
            shutil.rmtree(model, ignore_errors=True)
            mlflow.sklearn.save_model(
                _model(place, name),
                str(model),
                pyfunc_predict_fn="predict_proba",
                serialization_format="cloudpickle",  # of boosting MLflow refuses the types in its own format
            )
        predict = mlflow.pyfunc.spark_udf(session, str(model), result_type="array<double>", env_manager="local")
        rows = (
            session.read.format("delta").load(place.warehouse(name).path("features")).where(sf.col("run_date") == NIGHT)
        )
        scored = rows.select(KEY, "prediction_time", predict(sf.struct(*NAMES))[1].alias("score"))
        scored.write.format("delta").mode("overwrite").save(str(target))
        return lambda: DeltaTable(target).to_pyarrow_table(columns=[KEY, "score"])

    return score


def sklearn(place: Place) -> Callable[[str], Callable[[], pa.Table]]:
    """The library's own predict over the whole array, on all cores: Parquet in, Parquet out."""

    def score(name: str) -> Callable[[], pa.Table]:
        target = _fresh(place.folder / "results" / f"sklearn-{name}.parquet")
        table = _parquet(place, name)
        return _written(table, _model(place, name).predict_proba(_matrix(table))[:, 1], target)

    return score


def lightgbm(place: Place) -> Callable[[str], Callable[[], pa.Table]]:
    """The same of LightGBM."""
    import lightgbm as library  # noqa: PLC0415  (each process loads what it needs)

    def score(name: str) -> Callable[[], pa.Table]:
        target = _fresh(place.folder / "results" / f"lightgbm-{name}.parquet")
        table = _parquet(place, name)
        booster = library.Booster(model_str=_model(place, name).model_.decode("ascii"))
        return _written(table, booster.predict(_matrix(table), num_threads=place.cores), target)

    return score


def _model(place: Place, name: str) -> Any:
    return joblib.load(place.folder / "models" / f"{name}.joblib")


def _parquet(place: Place, name: str) -> pa.Table:
    return pq.read_table(place.warehouse(name).path("features"), columns=[KEY, "prediction_time", *NAMES])


def _matrix(table: pa.Table) -> np.ndarray:
    return np.column_stack([table[name].to_numpy() for name in NAMES])


def _written(table: pa.Table, values: np.ndarray, target: Path) -> Callable[[], pa.Table]:
    scores = table.select([KEY, "prediction_time"]).append_column("score", pa.array(values))
    pq.write_table(scores, target)
    return lambda: pq.read_table(target, columns=[KEY, "score"])


def _fresh(target: Path) -> Path:
    target.parent.mkdir(exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    return target


ENGINES = {"ours": ours, "spark_udf": spark_udf, "sklearn": sklearn, "lightgbm": lightgbm}


def main(engine: str, folder: str, cores: int, rows: int, target: str) -> None:
    """A run for each line that comes in: its seconds are told, and those of all processors."""
    place = Place(Path(folder), cores)
    prepare(place, rows)
    score = ENGINES[engine](place)
    for line in sys.stdin:
        began, processors = time.perf_counter(), _processor_seconds()
        read = score(line.strip())
        seconds, worked = time.perf_counter() - began, _processor_seconds() - processors
        scores = read().sort_by(KEY)
        np.save(target, scores["score"].to_numpy())
        print(json.dumps({"seconds": seconds, "cpu_seconds": worked}), file=ANSWERS, flush=True)


def _processor_seconds() -> float:
    """Of this process and all that it has started."""
    return sum(_of_process(pid) for pid in [os.getpid(), *_descendants(os.getpid())])


def _of_process(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # its own, and of its children that have ended


def _descendants(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []
    return [*children, *(below for child in children for below in _descendants(child))]


if __name__ == "__main__":
    ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)  # what libraries print goes to the log: here are answers alone
    os.dup2(2, 1)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
