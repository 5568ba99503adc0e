"""Distributed training on prepared rows that Ray's object store cannot hold: streamed, nothing on the disk."""

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
import ray
from deltalake import write_deltalake
from ray._private.internal_api import node_stats

from nightjar.learning.distributed.source import Source
from nightjar.learning.distributed.streaming import count
from nightjar.learning.distributed.trainer import train
from nightjar.models.columns import FeatureColumn, to_frame
from nightjar.models.needs import Needs
from nightjar.models.network_options import Options
from nightjar.models.preparation import preparation as preparation_of
from nightjar.runtime.ray import started
from nightjar.settings.columns import Category
from nightjar.settings.distributed import Distributed
from nightjar.settings.environment import Environment
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task
from nightjar.tables import scan
from nightjar.tables.warehouse import Warehouse

pytestmark = pytest.mark.starts_processes

STORE = 80_000_000  # bytes; Ray takes no fewer than 75 MiB
SITES = 1000  # each becomes an input: a small table makes much data
ROWS = 80_000
PREPARED = ROWS * (SITES + 2) * 4  # bytes: the inputs, the label and the weight in float32
FEATURES = (FeatureColumn("site", "category"),)
# The network stays as it was, so that the loss of each row can be reckoned afterwards.
OPTIONS = Options(hidden=(4,), embedding=0, batch_size=1000, epochs=1, dropout=0.0, learning_rate=1e-9)
SETTINGS = Distributed(workers=2, worker_cpus=0.5, lanes=2, piece_rows=1000, starved_after=120.0, restarts=0)
PROGRAM = """
import json, sys
from pathlib import Path
from learning.test_distributed_memory import trained_in
if __name__ == "__main__":
    (Path(sys.argv[1]) / "figures.json").write_text(json.dumps(trained_in(sys.argv[1])))
"""


def trained_in(folder):
    """An epoch of two workers on a Ray of this process: its loss, the loss by NumPy, and what its store says."""
    rows = pa.table(
        {"site": [f"s{row % SITES}" for row in range(ROWS)], "label": np.random.default_rng(1).normal(size=ROWS)}
    )
    warehouse = Warehouse(folder, "machines")
    write_deltalake(warehouse.path("rows"), rows)
    source = Source(scan.snapshot(warehouse, "rows"), FEATURES, "label", Task.REGRESSION)
    settings = Preparation(category=Category(min_frequency=1, max_categories=SITES))
    preparation = preparation_of(FEATURES, settings, Needs.COMPLETE, task=Task.REGRESSION, seed=0)
    every_site = rows.slice(0, SITES)
    preparation.fit_transform(to_frame(every_site, FEATURES), every_site["label"].to_numpy())
    with started(Environment(home=folder, cpus=2)):
        found = train(count(source, 120.0), preparation, OPTIONS, SETTINGS, seed=3, storage=f"{folder}/checkpoints")
        store = stored()
    parts = [rows.slice(start, 5000) for start in range(0, ROWS, 5000)]
    predicted = [found.network.predict(preparation.transform(to_frame(part, FEATURES))) for part in parts]
    label = rows["label"].to_numpy()
    loss = np.mean((np.concatenate(predicted) - label) ** 2) / label.var()
    return {"loss": found.losses[0], "reckoned": loss, **store}


def stored():
    """What the object store has held since Ray was started. Ray tells it by none of its public functions."""
    (node,) = ray.nodes()
    found = node_stats(node["NodeManagerAddress"], node["NodeManagerPort"], include_memory_info=False).store_stats
    return {
        "size": found.object_store_bytes_avail,
        "created": found.cumulative_created_bytes,
        "spilled": found.spilled_bytes_total,
        "outside": found.object_store_bytes_fallback,
    }


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """Of a training in a process of its own: the tests' Ray has a larger store."""
    folder = tmp_path_factory.mktemp("streamed")
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": str(STORE)}
    subprocess.run([sys.executable, "-c", PROGRAM, folder], check=True, env=os.environ | paths)
    return json.loads((folder / "figures.json").read_text())


def test_an_epoch_uses_every_row_once_although_they_do_not_fit_into_the_store(figures):
    """The oracle: the loss by NumPy. A mean row that was lost or used twice would change it by a part in 80,000."""
    assert figures["loss"] == pytest.approx(figures["reckoned"], rel=1e-6)


def test_several_times_the_store_goes_through_it_and_nothing_is_spilled(figures):
    """Every prepared row was made once and lay in the store. Whatever it cannot hold Ray puts on the disk, and counts.

    Spilling stays switched on: without it Ray would use the disk as well, but count only what lies there at the end.
    """
    assert figures["size"] == STORE
    assert (figures["spilled"], figures["outside"]) == (0, 0)
    assert 4 * STORE < PREPARED <= figures["created"] < 1.5 * PREPARED
