"""The search on Ray: the same as one task after another, and it survives what happens to it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from mlflow import MlflowClient
from rich.console import Console

import builders
import nightjar
from learning import problems
from nightjar.errors import LearningError, ModelError
from nightjar.learning import registration
from nightjar.learning.data.other_rows import UnlabelledRows
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_on
from nightjar.learning.search import ledger, proposals, tune
from nightjar.learning.search.fold_tasks import FoldTask
from nightjar.learning.search.problem import fit_and_measure, measure
from nightjar.learning.search.progress import Progress
from nightjar.learning.search.queue import TaskQueue
from nightjar.learning.search.search_result import search_result
from nightjar.registry import keys, tracking
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.labelling import SelfTraining
from nightjar.settings.learning import ProposalKind, Proposals, Stopping
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Metric, Task
from waiting import PATIENCE, wait_until

HALVING = Stopping(rungs=[1, 2])


def serial(problem, settings, folder):
    """The same search in this process, one task after another, with the tasks in the order they were run."""
    ran = []
    with ledger.open_ledger(folder, problem.key()) as book:
        queue = TaskQueue(tune.schedule_of(problem, settings), book, problem, ())
        while (fold_task := queue.take()) is not None:
            ran.append((fold_task.candidate.name, fold_task.fold))
            queue.finish(fold_task, fit_and_measure(problem, fold_task))
    return search_result(queue, problem, settings.metric, book.path), ran


def summary(result):
    """All results without their seconds."""
    return {
        candidate.name: [(one.fold, one.seed, one.measures, one.failure) for one in results]
        for candidate, results in result.results.items()
    }


def test_the_newest_fold_comes_first_and_who_is_behind_there_goes_no_further(tmp_path):
    _, ran = serial(problems.problem(), problems.search(stopping=HALVING), tmp_path)
    assert ran[:8] == [
        *(("majority", fold) for fold in (3, 2, 1, 0)),
        *((name, 3) for name in ("logistic-1", "logistic-2", "logistic-3", "boosting")),
    ]
    assert sorted(ran[8:10]) == [("logistic-2", 2), ("logistic-3", 2)]  # which took longer comes first
    assert ran[10:] == [("logistic-3", 1), ("logistic-3", 0)]


NETWORK = Model(Estimator.NETWORK, parameters={"hidden": [4], "epochs": 3, "batch_size": 64})
KINDS = {
    **problems.search().candidates,
    "network": NETWORK,
    "forest": Model(Estimator.FOREST, parameters={"n_estimators": 5}, space={"min_samples_leaf": [5, 20]}),
    "target": Model(Estimator.LOGISTIC, preparation=Preparation(category=Category(Encoding.TARGET))),
}
DRAWN = {
    "majority": problems.MAJORITY,
    "logistic": Model(Estimator.LOGISTIC, space={"C": {"low": 1e-4, "high": 10.0, "log": True}}),
}
FAILING = Model(Estimator.LOGISTIC, parameters={"C": -1.0})


def two_workers(settings, folder):
    """What they find: the same as one fit after another."""
    problem = problems.with_levels(problems.problem())
    here, _ = serial(problem, settings, folder / "here")
    there = problems.run(problem, settings, folder / "there")
    assert summary(there) == summary(here)
    assert list(there.results) == list(here.results)
    assert there.best() == here.best()
    return there


def test_two_workers_find_what_one_after_another_finds(ray_started, tmp_path):
    result = two_workers(problems.search(candidates=KINDS), tmp_path)
    assert not any(one.failure for results in result.results.values() for one in results)


def test_a_candidate_that_fails_is_recorded_and_the_others_go_on(ray_started, tmp_path):
    """As one fit after another, with halving and proposals; a failure's traceback is the same as well."""
    proposals = Proposals(ProposalKind.TPE, trials=4, batch=2)
    candidates = DRAWN | {"failing": FAILING}
    settings = problems.search(candidates=candidates, stopping=HALVING, proposals=proposals, metric=Metric.LOG_LOSS)
    outcome = two_workers(settings, tmp_path)
    ((failed, (result,)),) = ((one, results) for one, results in outcome.results.items() if one.name == "failing")
    assert (result.fold, result.seed, result.measures) == ("fold 4", 3, {})
    assert result.failure.startswith("Traceback")
    assert "'C' parameter" in result.failure
    assert [one.candidate for results in outcome.results.values() for one in results if one.failure] == ["failing"]
    assert outcome.mean(failed) is None
    assert outcome.best().name.startswith("logistic-")
    stored = [json.loads(line) for line in next((tmp_path / "there").glob("*.jsonl")).read_text().splitlines()[1:]]
    assert [line["failure"] for line in stored if line["candidate"] == "failing"] == [result.failure]


def test_predictions_out_of_all_bounds_are_a_failure_of_their_candidate():
    """Beside labels of 1e-200 the mean of those before, 1, has errors that cannot be squared."""
    plain = problems.problem()
    test = plain.folds[-1].test
    label = 0.5 + np.arange(len(plain.rows.label)) % 2
    label[test] = 1e-200 * np.arange(len(test))
    great = replace(plain, rows=replace(plain.rows, label=label), task=Task.REGRESSION)
    result = fit_and_measure(great, FoldTask(Candidate("mean", Model(Estimator.MEAN)), len(plain.folds) - 1))
    assert result.measures == {}
    assert "r2 is undefined: the squared errors are more than 1e308 times those of the mean" in result.failure


def test_a_search_that_finished_is_not_run_again(tmp_path):
    problem, settings = problems.problem(), problems.search()
    first, _ = serial(problem, settings, tmp_path)
    again, ran = serial(problem, settings, tmp_path)
    assert ran == []
    assert again.results == first.results


def test_other_data_seed_code_or_folds_is_another_search(monkeypatch):
    problem = problems.problem()
    keys = [
        problem.key(),
        replace(problem, seed=1).key(),
        problems.problem(seed=1).key(),
        replace(problem, folds=problem.folds[1:], fit_sets=problem.fit_sets[1:]).key(),
    ]
    assert problems.problem().key() == keys[0]
    monkeypatch.setattr("nightjar.learning.search.problem.software", lambda: ("nightjar of another day",))
    keys.append(problem.key())
    assert len(set(keys)) == len(keys)


def test_rows_count_in_measures_for_as_many_as_they_stand_for():
    """True rows stand for three each: the same as if each of them were there three times."""
    problem, fold = problems.problem(), problems.problem().folds[0]
    each = np.where(problem.rows.label, 3, 1)
    weighted = replace(problem, rows=replace(problem.rows, weight=each.astype(float)))
    score = 1 / (1 + np.exp(-problem.rows.features["noise"].to_numpy()))
    repeated = replace(fold, test=np.repeat(fold.test, each[fold.test]))
    values, expected = measure(weighted, fold, score[fold.test]), measure(problem, repeated, score[repeated.test])
    for name in ("roc_auc", "average_precision", "log_loss", "brier", "positive_rate"):
        assert values[name] == pytest.approx(expected[name])
    assert values["log_loss"] != pytest.approx(measure(problem, fold, score[fold.test])["log_loss"])


def test_a_mean_is_never_taken_over_fewer_folds(tmp_path):
    result, _ = serial(problems.problem(), problems.search(stopping=HALVING), tmp_path)
    stopped = [candidate for candidate, results in result.results.items() if len(results) < 4]
    assert [candidate.name for candidate in stopped] == ["logistic-1", "logistic-2", "boosting"]
    assert [result.mean(candidate) for candidate in stopped] == [None] * 3


def test_when_all_fail_each_is_named_with_its_fold_and_why(tmp_path):
    settings = problems.search(candidates={"majority": problems.MAJORITY, "failing": FAILING})
    result, _ = serial(problems.problem(), settings, tmp_path)
    with pytest.raises(
        LearningError, match=r"(?s)No candidate has a value.*failing on fold 1, seed 0: .*'C' parameter"
    ):
        result.best()


def test_without_a_baseline_that_failed_nothing_is_compared(tmp_path):
    """Fewer baselines to beat would promote a model too easily."""
    settings = problems.search(candidates={"failing": replace(FAILING, baseline=True), **problems.search().candidates})
    failing, majority = proposals.baselines(settings)
    result, _ = serial(problems.problem(), settings, tmp_path)
    result.require_baselines([majority])
    with pytest.raises(LearningError, match=r"(?s)The baseline failing failed.*failing on fold 1, seed 0: .*'C' param"):
        result.require_baselines([failing, majority])


def test_a_self_trained_candidate_is_fitted_to_the_rows_without_a_label_before_its_test_rows(tmp_path):
    """Planted: all rows without a label that lie far out are of another world, which starts on the last test day."""
    plain = Model(Estimator.LOGISTIC)
    trained = replace(plain, self_training=SelfTraining(0.8, 3))
    candidates = {"majority": problems.MAJORITY, "plain": plain, "trained": trained}
    problem, settings = problems.problem(), problems.search(candidates=candidates)
    with pytest.raises(LearningError, match="trained is self-trained, but no rows without a label were read"):
        fit_on(problem.fit_sets[0], problem.rows, Candidate("trained", trained), problem.task, 0)
    last = problem.folds[-1]
    x = np.tile([-3.0, 3.0], 100)
    time = np.repeat(np.array([last.start, last.start - timedelta(days=1)], "datetime64[us]"), 100)
    pool = UnlabelledRows(pa.table({"x": np.where(time < time[0], x, -x), "noise": np.zeros(200)}), time)
    outcome, _ = serial(replace(problem, rows=replace(problem.rows, unlabelled=pool)), settings, tmp_path)
    losses = {one.name: [result.measures["log_loss"] for result in results] for one, results in outcome.results.items()}
    assert losses["plain"][:-1] == losses["trained"][:-1]
    assert losses["plain"][-1] != losses["trained"][-1]
    earlier = np.flatnonzero(time < time[0])
    only = replace(problem.rows, unlabelled=UnlabelledRows(pool.table.take(earlier), time[earlier]))
    again, _ = serial(replace(problem, rows=only), settings, tmp_path)
    assert summary(again) == summary(outcome)


def test_after_a_batch_that_failed_the_next_one_is_tried(tmp_path):
    """A batch of one whose parameter is below 0 fails; the search does not end with it."""
    model = Model(Estimator.LOGISTIC, space={"C": {"low": -2.0, "high": 1.0}})
    candidates = {"majority": problems.MAJORITY, "logistic": model}
    batches = Proposals(ProposalKind.TPE, trials=6, batch=1)
    settings = problems.search(candidates=candidates, proposals=batches, stopping=Stopping([1]))
    result, _ = serial(problems.problem(), settings, tmp_path)
    failed = [candidate.name for candidate, results in result.results.items() if results[0].failure]
    assert len(result.results) == 7
    assert 1 <= len(failed) < 6


def test_a_damaged_ledger_stops_the_search(tmp_path):
    problem, settings = problems.problem(), problems.search()
    serial(problem, settings, tmp_path)
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(LearningError, match="is damaged in line 21"):
        problems.run(problem, settings, tmp_path)


def test_when_the_time_is_up_no_fold_is_begun_and_that_is_told(ray_started, tmp_path, caplog):
    result = problems.run(problems.problem(), problems.search(minutes=1e-9), tmp_path)
    assert (result.results, result.cut_short) == ({}, True)
    assert "search.minutes=1e-09 were up before all folds were run" in caplog.text
    with pytest.raises(LearningError, match=r"The time \(search\.minutes\) was up"):
        result.best()


LONG = {"boosting": Model(Estimator.BOOSTING, space={"max_iter": [50, 51, 52], "min_samples_leaf": [5, 6]})}
PROGRAM = """
import signal
import sys
from pathlib import Path
from learning import problems, test_search
from nightjar.runtime import ray
from nightjar.settings.environment import Environment
if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for _ in sys.stdin:
        try:
            with ray.session(Environment(home=sys.argv[1], cpus=1)):
                test_search.search_with_mlflow(problems.problem(), test_search.long(), Path(sys.argv[1]))
        except KeyboardInterrupt:
            print("interrupted", flush=True)
"""
"""A driver that searches whenever it is told to by a line, and hears interrupts."""


@pytest.fixture(scope="module")
def database_home(tmp_path_factory):
    """A home whose MLflow has its database: to make one takes longer than a search."""
    home = tmp_path_factory.mktemp("database")
    tracking.connect(home).get_experiment_by_name("machines")
    return home


@pytest.fixture
def home(database_home, tmp_path):
    return Path(shutil.copytree(database_home, tmp_path / "home"))


def registering_run(home):
    """A training that registers in this home."""
    return registration.Run("r1", problems.FIRST, "c1", home, keys.signing_key(home))


def search_with_mlflow(problem, settings, home, before_each=None):
    """The search with its folds in MLflow, as `train` runs it; what is to come before each fold is recorded."""
    project = builders.machines(home)
    with (
        ledger.open_ledger(home / "searches", problem.key()) as book,
        registration.record_search(registering_run(home), project, problem.rows, book) as record,
    ):
        log = registration.trial_callback(record)

        def log_result(fold_task, result):
            if before_each is not None:
                before_each(record)
            log(fold_task, result)

        return tune.run(problem, settings, book, log_result)


@pytest.mark.slow
def test_runs_of_killed_searches_are_marked_and_those_of_living_ones_are_not(home):
    """Its own that was killed before, one whose ledger is held, one whose is not."""
    client, rows, project = tracking.connect(home), problems.rows(), builders.machines(home)
    with (
        ledger.open_ledger(home, "own") as book,
        registration.record_search(registering_run(home), project, rows, book) as record,
    ):
        runs = {
            name: client.create_run(record.experiment, tags={tracking.SEARCH: name}).info.run_id
            for name in ("own", "living", "killed")
        }
    with (
        ledger.open_ledger(home, "living"),
        ledger.open_ledger(home, "own") as book,
        registration.record_search(registering_run(home), project, rows, book),
    ):
        status = {name: client.get_run(run).info.status for name, run in runs.items()}
    assert status == {"own": "KILLED", "living": "RUNNING", "killed": "KILLED"}


def statuses(home):
    """Of runs in MLflow: of searches, and of their folds."""
    client = tracking.connect(home)
    runs = client.search_runs([client.get_experiment_by_name("machines").experiment_id])
    nested = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    return Counter(run.info.status for run in runs if run not in nested), Counter(run.info.status for run in nested)


def test_a_fold_is_recorded_as_a_whole_before_an_interrupt_is_heard(home, monkeypatch):
    problem, begin, records = problems.problem(), MlflowClient.create_run, []
    fold_task = FoldTask(Candidate("majority", problems.MAJORITY), 0)

    def create_and_interrupt(*args, **options):
        created = begin(*args, **options)
        signal.raise_signal(signal.SIGINT)
        return created

    def attempt():
        with (
            ledger.open_ledger(home, "s") as book,
            registration.record_search(registering_run(home), builders.machines(home), problem.rows, book) as record,
        ):
            monkeypatch.setattr(MlflowClient, "create_run", create_and_interrupt)
            registration.trial_callback(record)(fold_task, fit_and_measure(problem, fold_task))
            records.append("went on")

    with pytest.raises(KeyboardInterrupt):
        attempt()
    assert records == []
    assert statuses(home) == ({"FAILED": 1}, {"FINISHED": 1})


def test_a_search_whose_folds_can_no_longer_be_recorded_ends_with_that_error_and_can_go_on(ray_started, home, tmp_path):
    """Somebody deletes its run half way. Until then, and when it goes on, each fold is in MLflow before the next."""
    problem, seen = problems.problem(), []

    def delete(record):
        seen.append(statuses(home))
        if len(seen) == 6:
            record.client.delete_run(record.id)
            record.tag("said", "later")

    with pytest.raises(
        ModelError, match=r"(?s)MLflow in .* cannot record this training: .*deleted.*ended are remembered"
    ):
        search_with_mlflow(problem, problems.search(), home, delete)
    assert seen == [({"RUNNING": 1}, Counter(FINISHED=number)) for number in range(6)]
    (path,) = (home / "searches").glob("*.jsonl")
    before, remaining = path.read_text(), statuses(home)
    assert lines_of(path.parent) == 6
    assert remaining == ({}, {"FINISHED": 5})  # the deleted run's folds
    seen.clear()
    result = search_with_mlflow(problem, problems.search(), home, lambda _: seen.append(statuses(home)))
    folds = sum(map(len, result.results.values()))
    assert seen == [({"RUNNING": 1}, {"FINISHED": 5 + number}) for number in range(folds)]
    assert statuses(home) == ({"FINISHED": 1}, {"FINISHED": 5 + folds})
    assert path.read_text().startswith(before)
    assert summary(result) == summary(serial(problem, problems.search(), tmp_path / "serial")[0])


def long():
    """24 folds that take a moment each, beside the baseline's four."""
    return problems.search(candidates={"majority": problems.MAJORITY, **LONG})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What it finds, one after the other in this process."""
    return serial(problems.problem(), long(), tmp_path_factory.mktemp("serial"))[0]


def lines_of(folder):
    """Of results: the first one of a ledger is none."""
    return sum(len(path.read_text().splitlines()) - 1 for path in folder.glob("*.jsonl"))


@contextlib.contextmanager
def driver(home):
    """A process that runs `PROGRAM`; gone afterwards, with all that it has started."""
    paths = os.pathsep.join([str(Path(nightjar.__file__).parents[1]), str(Path(__file__).parents[1])])
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, home],
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def search_and_end(process, home, how):
    """Tell the driver to search, and send it a signal when four more folds are finished."""
    ends, searches = (home / "log").read_text().count("interrupted"), home / "searches"
    after = lines_of(searches) + 4
    process.stdin.write("search\n")
    process.stdin.flush()
    wait_until(lambda: lines_of(searches) >= after, "the search has not come so far")
    os.kill(process.pid, how)
    if how == signal.SIGKILL:
        process.wait(PATIENCE)
    else:
        wait_until(lambda: (home / "log").read_text().count("interrupted") > ends, "no interrupt was heard")


def trial_processes():
    """Processes that run tasks, of the Ray that this process has started."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[folder.name] = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            names[folder.name] = (folder / "cmdline").read_text()
    ours = {str(os.getpid())}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return [int(pid) for pid in ours if names.get(pid, "").startswith("ray::ImplicitFunc")]


@pytest.mark.long
def test_a_search_whose_driver_is_killed_goes_on_where_it_was(ray_started, home, whole):
    """And interrupted, also by its own handler of SIGTERM; each start fits what is missing and nothing else.

    The last start loses a process, too: the fold that it was at is run again.
    """
    before, ended, searches = "", Counter(), home / "searches"
    with driver(home) as process:
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            search_and_end(process, home, how)
            (path,) = searches.glob("*.jsonl")
            assert path.read_text().startswith(before)
            before = path.read_text()
            assert lines_of(searches) < 24, "it has come too far before it was told to end: its folds are too short"
            if how != signal.SIGKILL:
                assert "RUNNING" not in statuses(home)[1]
            ended["RUNNING" if how == signal.SIGKILL else "FAILED"] += 1
            assert statuses(home)[0] == ended
    result, killed = search_with_a_kill(home, lines_of(searches) + 1)
    assert not Path(f"/proc/{killed}").exists()
    assert path.read_text().startswith(before)
    assert lines_of(searches) == 28
    assert statuses(home)[0] == {"KILLED": 1, "FAILED": 2, "FINISHED": 1}
    assert "RUNNING" not in statuses(home)[1]
    assert summary(result) == summary(whole)


def search_with_a_kill(home, finished):
    """What the search finds in this process, and a process of it that is killed when so many folds are finished."""
    killed = []

    def kill_one():
        wait_until(lambda: lines_of(home / "searches") >= finished, "the search has not come so far")
        killed.append(trial_processes()[0])
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill_one)
    thread.start()
    result = search_with_mlflow(problems.problem(), long(), home)
    thread.join(PATIENCE)
    assert killed
    return result, killed[0]


def test_on_a_terminal_a_table_shows_who_is_ahead(tmp_path):
    problem, settings = problems.problem(), problems.search(stopping=HALVING)
    settings.candidates["failing"] = FAILING
    progress = Progress(problem, settings, Console(width=80))
    outcome, _ = serial(problem, settings, tmp_path)
    folds = {fold.name: number for number, fold in enumerate(problem.folds)}
    for candidate, results in outcome.results.items():
        for result in results:
            progress.show(FoldTask(candidate, folds[result.fold]), result)
    with progress.console.capture() as shown:
        progress.console.print(progress.table())
    lines = [line.split() for line in shown.get().splitlines() if "│" in line]
    assert [(line[1], line[3]) for line in lines] == [
        ("logistic-2", "●●●●"),
        ("logistic-3", "●●●●"),
        ("majority", "●●●●"),
        ("logistic-1", "··●●"),
        ("boosting", "···●"),
        ("failing", "···✗"),
    ]
