"""`ray job submit` on two nodes: trials on both of them, with the checkout's package and this machine's figures."""

import json
import shutil
import sys
import urllib.error
import urllib.request

import pytest
from deltalake import DeltaTable

from system import cluster, tree

RAY = tree.ROOT / ".venv" / "bin" / "ray"
PROBE = """
import json, os, time
import ray
import nightjar
from nightjar.runtime.ray import started
from nightjar.settings.environment import Environment

@ray.remote(num_cpus=1, scheduling_strategy="SPREAD")
def where():
    time.sleep(1)
    return ray.util.get_node_ip_address(), nightjar.__file__, os.environ["OMP_NUM_THREADS"]

with started(Environment(ray_address="auto")):
    tasks = ray.get([where.remote(), where.remote()])
    print("found", json.dumps({"driver": nightjar.__file__, "files": sorted(os.listdir()), "tasks": tasks}))
"""

ACTORS = """
import json, sys
from ray.util.state import list_actors

print(json.dumps([[actor.class_name, actor.node_id] for actor in list_actors(sys.argv[1], detail=True)]))
"""


def registered(folder):
    """The evidence of each registered version."""
    events = DeltaTable(str(folder / "warehouse" / "tiny" / "model_events")).to_pyarrow_table().to_pylist()
    return {row["model_version"]: json.loads(row["evidence"]) for row in events if row["event"] == "registered"}


def test_train_by_ray_job_submit_on_two_nodes(tmp_path, tmp_path_factory):
    """Figures do not depend on where trials run; workers import the package that came with the job."""
    here = tree.copied(tmp_path_factory, tmp_path)
    with cluster.running("ray", tmp_path) as state:
        assert cluster.is_private(state / "secret")
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(state / "secret")}
        address = cluster.address(state)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{address}/api/jobs/")  # noqa: S310  (its scheme is http)
        submit = [RAY, "job", "submit", "--address", address, "--working-dir", ".", "--log-color", "false"]
        submit += ["--runtime-env", "cluster/ray/runtime_env.yaml", "--"]

        output = tree.run([*submit, "python", "-c", PROBE], here, token)
        found = json.loads(
            next(line for line in output.splitlines() if line.startswith("found ")).removeprefix("found ")
        )
        assert found["files"] == ["conf", "jobs"]
        assert {node for node, _, _ in found["tasks"]} == {"127.0.0.2", "127.0.0.3"}
        assert {threads for _, _, threads in found["tasks"]} == {"1"}
        for file in (found["driver"], *(file for _, file, _ in found["tasks"])):
            assert "/py_modules_files/" in file

        overrides = ["project=tiny", "search=tiny", f"run_date={tree.HISTORY}", "environment=cluster"]
        overrides += [f"environment.warehouse={here}/warehouse", f"environment.home={here}/.nightjar"]
        shutil.rmtree(here / ".nightjar" / "searches")  # or no fold would be fitted again
        tree.run([*submit, "python", "jobs/train.py", *overrides], here, token)
        actors = json.loads(tree.run([sys.executable, "-c", ACTORS, address], here, token).splitlines()[-1])
        assert len({node for name, node in actors if name != "JobSupervisor"}) == 2
    evidence = registered(here)
    assert evidence["2"] == evidence["1"]
