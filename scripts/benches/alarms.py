"""How often Evidently and NannyML raise an alarm on the nights of `scripts/replay --nightly`, by their defaults.

    .venv/bin/python scripts/benches/alarms.py .nightjar/replay/warehouse/HASH/nightly/flights

Both compare each night with rows of before the first one, every column that the model reads. Evidently says of a night
that the data drifted where half of the columns did; NannyML raises an alert for a column. They run in the environment
of `scripts/bench drift`. The reference is a sample, of the same rows for both.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".nightjar" / "bench" / "drift-venv" / "bin" / "python"
REFERENCE = 20_000
"""Rows of the reference; Evidently takes more than a minute a night for all of them."""
FIRST = date(2013, 10, 1)


def export(warehouse: Path, folder: Path) -> None:
    """The reference and each night as Parquet, of the features that the model reads."""
    import numpy as np  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    from nightjar.tables import arrow  # noqa: PLC0415
    from nightjar.tables.warehouse import Warehouse  # noqa: PLC0415

    tables = Warehouse(str(warehouse.parent), warehouse.name)
    read = arrow.read(tables, "references", ["column", "tested"]).to_pylist()
    every = arrow.read(tables, "features")
    columns = sorted({row["column"] for row in read if row["tested"] is not None} & set(every.column_names))
    days = np.array(every["run_date"], "datetime64[D]")
    training = np.flatnonzero(days < np.datetime64(FIRST))
    chosen = np.sort(np.random.default_rng(0).choice(training, REFERENCE, replace=False))
    pq.write_table(every.select(columns).take(chosen), folder / "reference.parquet")
    for day in np.unique(days[days >= np.datetime64(FIRST)]):
        pq.write_table(every.select(columns).take(np.flatnonzero(days == day)), folder / f"night-{day}.parquet")


def evidently(reference: Any, nights: dict[str, Any]) -> dict[str, int]:
    """Night -> columns that drifted, by its drift preset."""
    from evidently import Report  # noqa: PLC0415
    from evidently.presets import DataDriftPreset  # noqa: PLC0415

    drifted = {}
    for name, rows in nights.items():
        metrics = Report([DataDriftPreset()]).run(rows, reference).dict()["metrics"]
        count = next(one["value"]["count"] for one in metrics if "DriftedColumnsCount" in one["metric_name"])
        drifted[name] = int(count)
    return drifted


def nannyml(reference: Any, nights: dict[str, Any]) -> dict[str, int]:
    """Night -> columns with an alert, by Jensen-Shannon distance; the reference in chunks of a night's size."""
    import nannyml as engine  # noqa: PLC0415

    size = int(sum(map(len, nights.values())) / len(nights))
    texts = [name for name in reference.columns if reference[name].dtype == object]
    calculator = engine.UnivariateDriftCalculator(
        column_names=list(reference.columns), treat_as_categorical=texts, chunk_size=size
    )
    calculator.fit(reference)
    alarms = {}
    for name, rows in nights.items():
        alerts = calculator.calculate(rows).filter(period="analysis").to_df().xs("alert", axis=1, level=2)
        alarms[name] = int(alerts.any(axis=0).sum())
    return alarms


def main(argument: str, peer: str | None = None) -> None:
    """Without a peer: export, and let both run."""
    if peer is not None:
        import pandas as pd  # noqa: PLC0415

        folder, started = Path(argument), time.monotonic()
        reference = pd.read_parquet(folder / "reference.parquet")
        nights = {one.stem: pd.read_parquet(one) for one in sorted(folder.glob("night-*.parquet"))}
        columns = (evidently if peer == "evidently" else nannyml)(reference, nights)
        say = {"columns": len(reference.columns), "nights": columns, "seconds": time.monotonic() - started}
        sys.stdout.write(f"{json.dumps(say)}\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        export(Path(argument), Path(folder))
        for name in ("evidently", "nannyml"):
            command = [str(PEERS), str(Path(__file__)), folder, name]
            quiet = os.environ | {"NML_DISABLE_USAGE_LOGGING": "1", "PYTHONWARNINGS": "ignore"}
            done = subprocess.run(command, env=quiet, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
            outcome = json.loads(done.stdout.splitlines()[-1])
            counts = list(outcome["nights"].values())
            half = sum(count >= outcome["columns"] / 2 for count in counts)
            sys.stdout.write(
                f"{name}: {outcome['columns']} columns, {len(counts)} nights in {outcome['seconds']:.0f} s: "
                f"a column or more on {sum(count > 0 for count in counts)} nights, half of them on {half}, "
                f"{sum(counts) / len(counts):.1f} columns a night\n"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
