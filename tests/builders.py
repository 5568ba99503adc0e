"""A tiny project: machines are looked at every morning, and some fail that day. Its files are a screen long.

Machines m1 to m5, a row each for every local date from 18 March to 4 April 2024, Paris (summer time starts on the
31st). A machine fails iff its load is above 50, so that every model beats the rate of all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from nightjar.runtime.few_rows import QUICK_JAVA, QUICK_QUERIES
from nightjar.runtime.spark import JAVA_OPTIONS
from nightjar.settings.environment import Environment
from nightjar.settings.features import Aggregate, Feature, FeatureGroup, FeatureKind
from nightjar.settings.files import File
from nightjar.settings.label import Label
from nightjar.settings.learning import Search
from nightjar.settings.model import Estimator, Model
from nightjar.settings.project import Project
from nightjar.settings.sources import Column, ColumnType, Lookup, Source
from nightjar.settings.spine import Spine
from nightjar.settings.split import Split
from nightjar.settings.task import Metric
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

FIRST, HISTORY, LAST = date(2024, 3, 18), date(2024, 3, 31), date(2024, 4, 4)
MACHINES = ("m1", "m2", "m3", "m4", "m5")
RAY_STORE = 80_000_000
"""Bytes of the tests' Ray for objects, little enough for a small table to be larger; Ray takes no fewer than 75 MiB."""
QUICK_RAY = {
    "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": str(RAY_STORE),
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",  # by default it takes note of a finished epoch every 2 s
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # a process for each training
}
"""Settings of a Ray whose work takes moments, as environment variables."""
QUICK = {
    "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} {QUICK_JAVA}",
    "spark.databricks.delta.snapshotPartitions": "1",
    # Every test has tables of its own. By default Delta keeps what it knows of 10,000, and no memory is left.
    "spark.databricks.delta.delta.log.cacheSize": "16",
    **QUICK_QUERIES,
}
"""Spark's options for tiny data: compiling, planning and small files cost more than the work."""
PREDICTION_TIME = "to_utc_timestamp(CAST(day AS TIMESTAMP), 'Europe/Paris')"


@dataclass(frozen=True)
class Nights:
    """A warehouse in which history and nights have been run, and what is needed to run more."""

    warehouse: Warehouse
    project: Project
    environment: Environment


def quick_environment(**places: str) -> Environment:
    """Two processors of this machine, for tiny data; `places` are those of the warehouse and the home."""
    return Environment(spark_master="local[2]", driver_memory="1g", shuffle_partitions=2, cpus=2, spark=QUICK, **places)


def days(first: date = FIRST, last: date = LAST) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def load(machine: str, day: date) -> int:
    return (37 * int(machine[1:]) + 53 * day.toordinal()) % 100


def lines(header: str, rows: Iterable[Iterable[object]]) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""])


def machine_days() -> list[tuple[str, date]]:
    return [(machine, day) for day in days() for machine in MACHINES]


def write_files(folder: Path) -> None:
    """The project's raw files. What m5 came to on 25 March was never written down."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = [(m, "north" if m < "m3" else "south", day, load(m, day)) for m, day in machine_days()]
    ends = [(m, day, f"{day} 10:00:00", load(m, day) > 50) for m, day in machine_days()]
    ends = [row for row in ends if row[:2] != ("m5", date(2024, 3, 25))]
    seen = [(m, f"{day} 06:00:00", f"{day} 07:00:00", 20 + load(m, day) / 10) for m, day in machine_days()]
    (folder / "schedule.csv").write_text(lines("machine,site,day,load", plan))
    (folder / "outcomes.csv").write_text(lines("machine,day,ended,failed", ends))
    (folder / "readings.csv").write_text(lines("machine,at,seen,temperature", seen))
    (folder / "models.csv").write_text("name,year\nm1,2001\nm2,2002\nm3,NA\nm4,2004\n")


def machines(folder: Path) -> Project:
    text, day, instant = ColumnType.STRING, ColumnType.DATE, ColumnType.TIMESTAMP
    named = {"machine": Column(text, required=True)}
    schedule = Source(
        File(str(folder / "schedule.csv")),
        columns=named | {"site": Column(text), "day": Column(day, required=True), "load": Column(ColumnType.DOUBLE)},
        lookups={
            "models": Lookup(
                File(str(folder / "models.csv")),
                key="machine",
                file_key="name",
                types={"built": ColumnType.LONG},
                columns={"built": "year"},
                missing={"m5": {"built": "2005"}},
            )
        },
        derived={"prediction_time": PREDICTION_TIME, "published": "prediction_time - INTERVAL 1 DAY"},
        key=["machine", "prediction_time"],
        event_time="published",
        keep=["site", "load", "built"],
    )
    outcomes = Source(
        File(str(folder / "outcomes.csv")),
        columns=named
        | {"day": Column(day, required=True), "ended": Column(instant), "failed": Column(ColumnType.BOOLEAN)},
        derived={"prediction_time": PREDICTION_TIME},
        key=["machine", "prediction_time"],
        event_time="ended",
        keep=["failed"],
    )
    return Project(
        name="machines",
        title="Machines that fail today",
        zone="Europe/Paris",
        first_date=FIRST.isoformat(),
        last_date=LAST.isoformat(),
        history_until=HISTORY.isoformat(),
        first_night="2024-04-01",
        nights=2,
        sources={"schedule": schedule, "outcomes": outcomes, "readings": readings(folder / "readings.csv")},
        spine=Spine("schedule", ["machine"], "prediction_time", ["load", "built", "site"]),
        label=Label("outcomes", {"machine": "machine", "prediction_time": "prediction_time"}, "failed", "1d"),
        features={"temperature": temperature()},
    )


def unchecked(_: object) -> None:
    """For ingests of sources by themselves: nothing is to be built of them."""


READINGS = "machine,at,seen,temperature\n"
"""The header of a file of readings."""


def reading(machine: str, seen: str, temperature: float = 20) -> str:
    """A line of such a file; `seen` is month, day and minute, such as 03-31 07:00."""
    return f"{machine},2024-03-30 06:00:00,2024-{seen}:00,{temperature}\n"


def readings(path: Path, **options) -> Source:
    return Source(
        **{
            "file": File(str(path)),
            "columns": {
                "machine": Column(ColumnType.STRING, required=True),
                "at": Column(ColumnType.TIMESTAMP, required=True),
                "seen": Column(ColumnType.TIMESTAMP),
                "temperature": Column(ColumnType.DOUBLE, minimum=-40, maximum=90),
            },
            "key": ["machine", "at"],
            "event_time": "at",
            "known_at": "seen",
            "keep": ["temperature"],
        }
        | options
    )


def temperature() -> FeatureGroup:
    last = Feature(FeatureKind.LATEST, "temperature", lookback="2d")
    mean = Feature(FeatureKind.WINDOW, "temperature", aggregate=Aggregate.MEAN, windows=["1d", "3d"])
    return FeatureGroup("readings", {"machine": "machine"}, {"last": last, "mean": mean})


def search(**options) -> Search:
    candidates = {
        "majority": Model(Estimator.MAJORITY, baseline=True),
        "logistic": Model(Estimator.LOGISTIC, space={"C": [10.0, 0.1]}),
    }
    few_days = {"split": Split(folds=2, test_days=2), "final_days": 3}
    # The model ranks all 15 rows of three days rightly: of a ROC AUC of 1 so few say too little to promote it.
    return Search(**{"candidates": candidates, "metric": Metric.LOG_LOSS} | few_days | options)


def versions(warehouse: Warehouse) -> dict[str, int]:
    """Table -> version, of every table that there is."""
    folder = Path(warehouse.path(""))
    return arrow.versions(warehouse, sorted(one.name for one in folder.iterdir())) if folder.exists() else {}


def rows_of(warehouse: Warehouse, table: str, *columns: str, without: tuple[str, ...] = ("run_id",)) -> list[tuple]:
    """The rows of a table, sorted; without its run ids unless columns are named."""
    found: pa.Table = arrow.read(warehouse, table)
    names = columns or tuple(name for name in found.column_names if name not in without)
    return sorted((tuple(row[name] for name in names) for row in found.to_pylist()), key=repr)
