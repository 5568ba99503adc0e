"""Whatever file is damaged: what is read is right, or the failure is stated and names the table or the file.

Each file of one kind after another is cut off, emptied, deleted, replaced by a folder (which cannot be read as a file),
and has single bits flipped in each of its parts; then it is put back. Never is there a score that is not right.
"""

import json
import random
import shutil
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

import builders
from nightjar.errors import NightjarError
from nightjar.monitoring import performance
from nightjar.registry import events, lookup, verified
from nightjar.registry.promotion import decide
from nightjar.registry.signature import Subject
from nightjar.report.data_quality import read_quality
from nightjar.report.reading import open_tables
from nightjar.runtime import outages
from nightjar.scoring.score import score
from nightjar.tables import arrow, failures, runs, scan, sink
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse
from tables.damage import flip, strata

D0, D1, D2 = builders.HISTORY, date(2024, 4, 1), date(2024, 4, 2)
LOG = "_delta_log"


@dataclass
class Damaged:
    """A warehouse whose files are damaged one after another, and its readers."""

    nights: builders.Nights
    spark: object

    def __post_init__(self):
        self.warehouse, self.home = self.nights.warehouse, Path(self.nights.environment.home)

    def table(self, name):
        return Path(self.warehouse.path(name))

    def scores(self):
        environment = self.nights.environment
        score(lambda: self.spark, self.warehouse, self.nights.project, D1, "again", environment, retrospective=False)
        served = arrow.read(self.warehouse, "scores", where=pc.field("run_date") == D1)
        return sorted(zip(*(served[name].to_pylist() for name in ("machine", "score", "prediction_id")), strict=True))

    def figures(self):
        performance.measure(self.warehouse, self.nights.project, D2, "again")
        return builders.rows_of(self.warehouse, "performance")

    def promotion(self):
        version = events.newest_registered(self.warehouse, D0)
        champion = events.champion(self.warehouse, D1)
        return decide(version.evidence), champion

    def model(self):
        subject = Subject("machines", events.champion(self.warehouse, D1).model_name, "1")
        artifact = verified.load(self.nights.environment, subject)
        return artifact.manifest, artifact.open() and artifact.files

    def checks(self):
        return read_quality(open_tables(self.warehouse, D2))

    def references(self):
        return builders.rows_of(self.warehouse, "references")

    def features(self):
        """As tasks read them."""
        return self._read("features", lambda file: file.partition["run_date"] == D1)

    def facts(self):
        return self._read("source_readings", lambda _: True)

    def _read(self, table, keep):
        stored = scan.snapshot(self.warehouse, table).where(keep)
        return sorted(map(repr, scan.read(stored, stored.schema.names).to_pylist()))

    def steps_before(self):
        runs.require_done(self.warehouse, "build_features", D1, "score")
        return [runs.previous_done(self.warehouse, job, D2) for job in ("ingest", "build_features")]

    def wrong(self, reader, right, names):
        """What is wrong with what a reader gives now; None where it is right, or stated by name."""
        try:
            with outages.translate_errors(), failures.translate_errors():
                runs.require_committed(self.warehouse)
                result = reader(self)
        except NightjarError as error:
            return None if any(name in str(error) for name in names) else f"unnamed: {error}"
        except Exception as error:  # noqa: BLE001  (whatever comes is what is looked for)
            return f"not stated: {type(error).__name__}: {str(error)[:300]}"
        return None if result == right else f"WRONG: {str(result)[:300]}"


@pytest.fixture(scope="module")
def damaged(nights, spark, tmp_path_factory):
    """A copy in which the features have a checkpoint, and a commit after it that removes and adds a file."""
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copytree(nights.environment.warehouse, folder / "warehouse")
    environment = replace(nights.environment, warehouse=str(folder / "warehouse"))
    warehouse = Warehouse(environment.warehouse, nights.project.name)
    rewrite(warehouse, D2)
    DeltaTable(warehouse.path("features")).create_checkpoint()
    rewrite(warehouse, D1)
    return Damaged(builders.Nights(warehouse, nights.project, environment), spark)


def rewrite(warehouse, day):
    rows = arrow.read(warehouse, "features", where=pc.field("run_date") == day)
    into = sink.target(warehouse, Table("features", "", (), ("run_date",), "", ()))
    sink.commit(warehouse, into, sink.write(rows, into), lambda file: file.partition["run_date"] == day, "rewrite")


def live(table, **partition):
    """The path of a live data file."""

    def find(damaged):
        files = scan.snapshot(damaged.warehouse, table).files
        chosen = [one for one in files if all(one.partition[name] == value for name, value in partition.items())]
        return damaged.table(table) / chosen[-1].path

    return find


def log(table, pattern="*.json", place=-1):
    return lambda damaged: sorted((damaged.table(table) / LOG).glob(pattern))[place]


def of_model(name):
    def find(damaged):
        return lookup.fetch(damaged.home, "machines", "1") / name

    return find


SUBJECTS = {
    "data of features": (Damaged.scores, live("features", run_date=D1), "features"),
    "data of scores": (Damaged.figures, live("scores", run_date=D1), "scores"),
    "data of labels": (Damaged.figures, live("labels"), "labels"),
    "data of a source": (Damaged.facts, live("source_readings"), "source_readings"),
    "data of model_events": (Damaged.promotion, live("model_events"), "model_events"),
    "data of runs": (Damaged.steps_before, live("runs"), "runs"),
    "data of quality": (Damaged.checks, live("quality"), "quality"),
    "data of references": (Damaged.references, live("references"), "references"),
    "newest log of features": (Damaged.features, log("features"), "features"),
    "checkpoint of features": (Damaged.features, log("features", "*.checkpoint.parquet"), "features"),
    "pointer to it": (Damaged.features, log("features", "_last_checkpoint"), "features"),
    "oldest log of labels": (Damaged.figures, log("labels", place=0), "labels"),
    "newest log of labels": (Damaged.figures, log("labels"), "labels"),
    "oldest log of model_events": (Damaged.promotion, log("model_events", place=0), "model_events"),
    "newest log of model_events": (Damaged.promotion, log("model_events"), "model_events"),
    "newest log of a source": (Damaged.facts, log("source_readings"), "source_readings"),
    "oldest log of quality": (Damaged.checks, log("quality", place=0), "quality"),
    "public key": (Damaged.model, lambda damaged: damaged.home / "keys" / "signing.pub", "public_key"),
    "manifest": (Damaged.model, of_model("data/artifact/manifest.json"), "manifest.json"),
    "estimator": (Damaged.model, of_model("data/artifact/estimator.skops"), "estimator.skops"),
    "signature": (Damaged.model, of_model("signature.json"), "signature.json"),
    "MLmodel": (Damaged.model, of_model("MLmodel"), "MLmodel"),
}
"""What is damaged -> which reader is asked, where the file is, and the name that a stated failure says."""


def parts(file, content):
    """Part of a file -> the places of its bytes."""
    if file.suffix == ".parquet":
        return {part: places for part, places in strata(file).items() if places}
    if file.parent.name != LOG or file.suffix != ".json":
        return {"anywhere": range(len(content))}
    found, start = {}, 0
    for line in content.splitlines(keepends=True):
        (kind,) = json.loads(line)
        found.setdefault(kind, []).extend(range(start, start := start + len(line)))
    return found


def harms(file, content, times, chance):
    """What is done to a file, and how."""
    yield "cut off", partial(file.write_bytes, content[: len(content) // 2])
    yield "emptied", partial(file.write_bytes, b"")
    yield "deleted", file.unlink
    yield "a folder", partial(replaced_by_folder, file)
    for part, places in parts(file, content).items():
        for _ in range(times):
            yield f"a bit of {part}", partial(flip, file, chance.choice(places), chance.randrange(8))


def replaced_by_folder(file):
    file.unlink()
    file.mkdir()


def restore(file, content):
    if file.is_dir():
        file.rmdir()
    file.write_bytes(content)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_damaged_file_gives_what_is_right_or_a_stated_failure_with_its_name(damaged, subject, pytestconfig):
    reader, find, name = SUBJECTS[subject]
    file = find(damaged)
    chance = random.Random(subject)  # noqa: S311  (the same bits each time)
    content, right, wrong = file.read_bytes(), reader(damaged), []
    try:
        for harm, do in harms(file, content, pytestconfig.getoption("bits"), chance):
            do()
            found = damaged.wrong(reader, right, (name, file.name))
            wrong += [] if found is None else [f"{harm}: {found}"]
            restore(file, content)
    finally:
        restore(file, content)
    assert wrong == []
