"""`ray job submit` on two nodes: trials on both of them, with the checkout's package and this machine's figures.

One of them may be lost.
"""

import json
import os
import shutil
import threading
import urllib.error
import urllib.request
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import ray
from deltalake import DeltaTable

import nightjar
from learning import problems, test_search
from nightjar.learning.fitting.fit_sets import FitSet
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Metric
from system import cluster, tree
from waiting import PATIENCE, wait_until

pytestmark = pytest.mark.starts_processes

RAY = tree.ROOT / ".venv" / "bin" / "ray"
FIRST, SECOND = "127.0.0.2", "127.0.0.3"


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Of a cluster of two nodes; the last test loses one of them."""
    with cluster.running("ray", tmp_path_factory.mktemp("cluster")) as state:
        yield state


def registered(folder):
    """The evidence of each registered version."""
    events = DeltaTable(str(folder / "warehouse" / "machines" / "model_events")).to_pyarrow_table().to_pylist()
    return {row["model_version"]: json.loads(row["evidence"]) for row in events if row["event"] == "registered"}


def access(state):
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(state / "secret")}


def submission(state, folder):
    """The start of a command line that submits a job with a folder of the working folder."""
    submit = [RAY, "job", "submit", "--address", cluster.address(state), "--working-dir", folder]
    return [*submit, "--log-color", "false", "--runtime-env", "cluster/ray/runtime_env.yaml", "--"]


def answer(state, path, headers):
    """Of the cluster's dashboard."""
    asked = urllib.request.Request(f"{cluster.address(state)}{path}", headers=headers)  # noqa: S310  (over http)
    with urllib.request.urlopen(asked) as told:  # noqa: S310
        return json.load(told)


def actors(state):
    """Class and node of each one that there was."""
    token = {"Authorization": f"Bearer {(state / 'secret').read_text()}"}
    told = answer(state, "/api/v0/actors?detail=true", token)["data"]["result"]
    assert told["num_filtered"] == len(told["result"])
    return [(actor["class_name"], actor["node_id"]) for actor in told["result"]]


def test_train_by_ray_job_submit_on_two_nodes(state, tmp_path, tmp_path_factory):
    """Figures do not depend on where trials run; only what a job needs is sent."""
    here = tree.copied(tmp_path_factory, tmp_path)
    assert cluster.is_private(state / "secret")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        answer(state, "/api/jobs/", {})
    overrides = ["project=machines", "search=tiny", f"run_date={tree.HISTORY}", "environment=cluster"]
    overrides += [f"environment.warehouse={here}/warehouse", f"environment.home={here}/.nightjar"]
    shutil.rmtree(here / ".nightjar" / "searches")  # or no fold would be fitted again
    train = f"echo sent: $(ls -A); exec python jobs/train.py {' '.join(overrides)}"
    output = tree.run([*submission(state, "."), "sh", "-c", train], here, access(state))
    assert "sent: conf jobs" in output.splitlines()
    assert len({node for name, node in actors(state) if name != "JobSupervisor"}) == 2
    evidence = registered(here)
    assert (evidence["1"]["champion"], evidence["2"]["champion"]["version"]) == (None, "1")
    figures = ("metric", "period", "candidate", "baselines", "null_labels", "clusters", "thresholds")
    assert [evidence["2"][name] for name in figures] == [evidence["1"][name] for name in figures]


SEARCH = """
import json, sys
from pathlib import Path
import nightjar
from learning import problems, test_search
from nightjar.runtime.ray import session
from nightjar.settings.environment import Environment
from system import test_cluster_ray

here = Path(sys.argv[1])
with session(Environment(ray_address="auto")):
    found = problems.run(test_cluster_ray.watched(here / "begun"), test_cluster_ray.HALVING, here / "searches")
print("found", json.dumps([nightjar.__file__, test_search.summary(found), found.best().name]))
"""

HALVING = problems.search(
    candidates={
        "majority": problems.MAJORITY,
        "logistic": Model(Estimator.LOGISTIC, space={"C": [1e-6, 1e-4, 0.01, 0.1, 1.0, 10.0]}),
    },
    stopping=test_search.HALVING,
    metric=Metric.LOG_LOSS,
)
"""Ten fits come first: the baseline on four folds, and six candidates on the newest."""
ON_FIRST, ON_SECOND = 5, 3
"""So many of them the nodes begin before the second node is lost: it is in the middle of its last one."""


@dataclass(frozen=True, eq=False)
class Watched(FitSet):
    """Rows to fit on that note where each fit of them begins.

    The last one that the second node begins never ends there: it is running whenever that node is lost, and a search
    ends only if it is run elsewhere. The first node waits for it to begin, or it might have done them all before the
    other node has come up.
    """

    fold: str
    folder: Path

    def examples(self, rows):
        node = ray.util.get_node_ip_address()
        (self.folder / f"{node} {uuid.uuid4()}").write_text(json.dumps([self.fold, nightjar.__file__, threads()]))
        begun = len(begun_on(node, self.folder))
        if node == SECOND and begun == ON_SECOND:
            threading.Event().wait(2 * PATIENCE)
        if node == FIRST and begun > ON_FIRST:
            wait_until(
                lambda: len(begun_on(SECOND, self.folder)) >= ON_SECOND, "the second node has begun too few fits"
            )
        return super().examples(rows)


def threads():
    """How this process shares processors: what Ray says, and what it was started with."""
    started_with = dict(one.split("=", 1) for one in Path("/proc/self/environ").read_text().split("\0") if one)
    return [os.environ["OMP_NUM_THREADS"], started_with["OMP_WAIT_POLICY"], started_with["OPENBLAS_NUM_THREADS"]]


def begun_on(node, folder):
    """A file for each fit that a node has begun: the fold, the package that it runs, and its threads."""
    return list(folder.glob(f"{node} *"))


def watched(folder):
    """The problem of these tests, each of whose fits is noted in the folder."""
    problem = problems.problem()
    fit_sets = [
        Watched(**vars(part), fold=fold.name, folder=folder)
        for part, fold in zip(problem.fit_sets, problem.folds, strict=True)
    ]
    return replace(problem, fit_sets=fit_sets)


@pytest.mark.long
def test_a_search_that_loses_a_node_goes_on_without_it(state, tmp_path):
    """What the node was at is fitted again elsewhere, and nothing else is; the result is the undisturbed one's.

    Driver and workers import the package that came with the job.
    """
    for folder in ("lib/nightjar", "cluster", "tests"):
        shutil.copytree(tree.ROOT / folder, tmp_path / "tree" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    begun, searches = tmp_path / "begun", tmp_path / "searches"
    begun.mkdir()
    with ThreadPoolExecutor() as aside:
        command = [*submission(state, "tests"), "python", "-c", SEARCH, tmp_path]
        job = aside.submit(tree.run, command, tmp_path / "tree", access(state))
        finished = ON_FIRST + ON_SECOND - 1

        def is_so_far():
            assert not job.done(), job.result()
            return len(begun_on(SECOND, begun)) >= ON_SECOND and test_search.lines_of(searches) >= finished

        wait_until(is_so_far, "the nodes have not begun and finished their first fits")
        (book,) = searches.glob("*.jsonl")
        before = book.read_text()
        cluster.lose(state, "node")
        output = job.result(PATIENCE)
    (line,) = (line for line in output.splitlines() if line.startswith("found "))
    driver, *found = json.loads(line.removeprefix("found "))
    whole, _ = test_search.serial(problems.problem(), HALVING, tmp_path / "serial")
    assert found == json.loads(json.dumps([test_search.summary(whole), whole.best().name]))
    assert book.read_text().startswith(before)
    lines = [json.loads(line) for line in book.read_text().splitlines()[1:]]
    assert len({(line["key"], line["fold"]) for line in lines}) == len(lines) > finished
    assert len(begun_on(SECOND, begun)) == ON_SECOND
    fits = [json.loads(file.read_text()) for file in begun.iterdir()]
    assert len(fits) == len(lines) + 1
    fitted = Counter(fold for fold, _, _ in fits)
    assert (fitted - Counter(line["fold"] for line in lines)).total() == 1  # the one that was lost
    assert [one for _, _, one in fits] == [["1", "PASSIVE", "1"]] * len(fits)
    for file in (driver, *(file for _, file, _ in fits)):
        assert "/py_modules_files/" in file
