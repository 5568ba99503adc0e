"""A worker of `scripts/bench drift`: compares one file of rows with another, and says in JSON what that took.

Its arguments are the engine and the folder with `reference.parquet` and `current.parquet`. The seconds are of reading
both files and comparing all columns; imports are not in them. Ours are told by part: training fits bins once, and a
night is counted and compared.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
BINS = 50


def ours(folder: Path) -> Callable[[], Answer]:
    """Bins and counts of the reference as training makes them; counts of the night by the monitor's own code."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    import pyarrow.dataset as ds  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415
    from pyarrow.fs import LocalFileSystem  # noqa: PLC0415

    from nightjar.evaluation.histograms import count, fit_bins  # noqa: PLC0415
    from nightjar.monitoring import counting, drift_figures, tallies  # noqa: PLC0415
    from nightjar.monitoring.drift_references import Reference  # noqa: PLC0415
    from nightjar.tables import parquet, scan  # noqa: PLC0415

    def reference_of(name: str) -> Reference:
        path = folder / "reference.parquet"
        column = pq.read_table(path, columns=[name], use_threads=False, pre_buffer=False)[name]
        bins = fit_bins(column, bins=BINS)
        return Reference(bins, count(bins, column))

    def run() -> Answer:
        started = time.perf_counter()
        names = pq.read_schema(folder / "reference.parquet").names
        if (folder / "references.json").exists():
            references = _stored(folder)
        else:
            with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                references = dict(zip(names, pool.map(reference_of, names), strict=True))
            lines = {name: [one.bins.to_json(), one.counts.tolist()] for name, one in references.items()}
            (folder / "references.json").write_text(json.dumps(lines))
        fitted = time.perf_counter()
        plan = tallies.TallyPlan({name: one.bins for name, one in references.items()})
        night = ds.dataset(folder / "current.parquet", format=parquet.format_of(LocalFileSystem()))
        counts = counting.count_batches(scan.batches_of(night, names), plan)
        figures = {name: drift_figures.distances(one, counts[tallies.WHOLE, name]) for name, one in references.items()}
        ended = time.perf_counter()
        moved = sorted(name for name, one in figures.items() if (one["psi"] or 0) > 0.1)
        return {"training": fitted - started, "night": ended - fitted, "moved": moved}

    return run


def _stored(folder: Path) -> Answer:
    import numpy as np  # noqa: PLC0415

    from nightjar.evaluation.histograms import Bins  # noqa: PLC0415
    from nightjar.monitoring.drift_references import Reference  # noqa: PLC0415

    lines = json.loads((folder / "references.json").read_text())
    return {name: Reference(Bins.from_json(bins), np.array(counts)) for name, (bins, counts) in lines.items()}


def duckdb(folder: Path) -> Callable[[], Answer]:
    """The same histograms: quantiles of the reference, then counts of both sides by its own function."""
    import duckdb as engine  # noqa: PLC0415

    def run() -> Answer:
        connection = engine.connect()
        for side in ("reference", "current"):
            connection.sql(f"CREATE VIEW {side} AS SELECT * FROM '{folder / side}.parquet'")  # noqa: S608  (our own files)
        kinds = connection.sql("DESCRIBE reference").fetchall()
        numbers = [name for name, kind, *_ in kinds if kind == "DOUBLE"]
        shares = [round(place / BINS, 6) for place in range(BINS + 1)]
        asked = ", ".join(f"quantile_disc({name}, {shares})" for name in numbers)
        edges = dict(zip(numbers, connection.sql(f"SELECT {asked} FROM reference").fetchall()[0], strict=True))  # noqa: S608
        for side in ("reference", "current"):
            counts = ", ".join(f"histogram({name}, {sorted(set(edges[name]))})" for name in numbers)
            texts = ", ".join(f"histogram({name})" for name, kind, *_ in kinds if kind == "VARCHAR")
            connection.sql(f"SELECT {counts}, {texts} FROM {side}").fetchall()  # noqa: S608
        return {}

    return run


def evidently(folder: Path) -> Callable[[], Answer]:
    """Its report of drift with its defaults."""
    import pandas as pd  # noqa: PLC0415
    from evidently import Report  # noqa: PLC0415
    from evidently.presets import DataDriftPreset  # noqa: PLC0415

    def run() -> Answer:
        reference, current = (pd.read_parquet(folder / f"{side}.parquet") for side in ("reference", "current"))
        Report([DataDriftPreset()]).run(current, reference).dict()
        return {}

    return run


def nannyml(folder: Path) -> Callable[[], Answer]:
    """Its univariate drift by Jensen-Shannon distance, the night as one chunk."""
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
    import nannyml as engine  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    def run() -> Answer:
        reference, current = (pd.read_parquet(folder / f"{side}.parquet") for side in ("reference", "current"))
        calculator = engine.UnivariateDriftCalculator(
            column_names=list(reference.columns),
            treat_as_categorical=[name for name in reference.columns if reference[name].dtype == object],
            chunk_number=1,
            continuous_methods=["jensen_shannon"],
            categorical_methods=["jensen_shannon"],
        )
        calculator.fit(reference)
        calculator.calculate(current).to_df()
        return {}

    return run


SHARE_OF_MEMORY = 0.85
"""Of the machine's memory a run may take; it fails then, and the machine stays usable."""
ENGINES = {"ours": ours, "duckdb": duckdb, "evidently": evidently, "nannyml": nannyml}


def main(name: str, folder: str) -> None:
    """Run one engine once, and print what it took."""
    memory = int(SHARE_OF_MEMORY * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    run = ENGINES[name](Path(folder))
    before, started, consumed = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter(), time.process_time()
    answer = run()
    figures = {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - consumed}
    peaks = {"peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "idle_mb": before.ru_maxrss}
    print(json.dumps(figures | {name: round(kilobytes / 1024) for name, kilobytes in peaks.items()} | answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
