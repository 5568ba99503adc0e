"""Distributed training on prepared rows that Ray's object store cannot hold: streamed, nothing on the disk."""

import numpy as np
import pyarrow as pa
import pytest
import ray
from deltalake import write_deltalake
from ray._private.internal_api import node_stats

from builders import RAY_STORE
from nightjar.learning.distributed.source import Source
from nightjar.learning.distributed.streaming import count
from nightjar.learning.distributed.trainer import train
from nightjar.models.columns import FeatureColumn, to_frame
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.network.options import Options
from nightjar.models.preprocessing.preparation import preparation as preparation_of
from nightjar.settings.columns import Category
from nightjar.settings.distributed import Distributed
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task
from nightjar.tables import scan
from nightjar.tables.warehouse import Warehouse

SITES = 1000  # each becomes an input: a small table makes much data
ROWS = 80_000
PREPARED = ROWS * (SITES + 2) * 4  # bytes: the inputs, the label and the weight in float32
FEATURES = (FeatureColumn("site", "category"),)
# The network stays as it was, so that the loss of each row can be reckoned afterwards.
OPTIONS = Options(hidden=(4,), embedding=0, batch_size=1000, epochs=1, dropout=0.0, learning_rate=1e-9)
SETTINGS = Distributed(workers=2, worker_cpus=0.5, lanes=2, piece_rows=1000, starved_after=120.0, restarts=0)


@pytest.fixture(scope="module")
def figures(tmp_path_factory, ray_started):
    """Of an epoch of two workers: its loss, the loss by NumPy, and what Ray's store says of it."""
    folder = tmp_path_factory.mktemp("streamed")
    rows = pa.table(
        {"site": [f"s{row % SITES}" for row in range(ROWS)], "label": np.random.default_rng(1).normal(size=ROWS)}
    )
    warehouse = Warehouse(str(folder), "machines")
    write_deltalake(warehouse.path("rows"), rows)
    source = Source(scan.snapshot(warehouse, "rows"), FEATURES, "label", Task.REGRESSION)
    settings = Preparation(category=Category(min_frequency=1, max_categories=SITES))
    preparation = preparation_of(FEATURES, settings, InputRequirement.COMPLETE, task=Task.REGRESSION, seed=0)
    every_site = rows.slice(0, SITES)
    preparation.fit_transform(to_frame(every_site, FEATURES), every_site["label"].to_numpy())
    before = stored()
    training = train(count(source, 120.0), preparation, OPTIONS, SETTINGS, seed=3, storage=str(folder / "checkpoints"))
    since = {name: after - before[name] for name, after in stored().items()}
    parts = [rows.slice(start, 5000) for start in range(0, ROWS, 5000)]
    predicted = [training.network.predict(preparation.transform(to_frame(part, FEATURES))) for part in parts]
    label = rows["label"].to_numpy()
    loss = np.mean((np.concatenate(predicted) - label) ** 2) / label.var()
    return {"loss": training.losses[0], "reckoned": loss, **since}


def stored():
    """What the object store has held since Ray was started. Ray tells it by none of its public functions."""
    stats = store_stats()
    return {
        "created": stats.cumulative_created_bytes,
        "spilled": stats.spilled_bytes_total,
        "outside": stats.object_store_bytes_fallback,
    }


def store_stats():
    (node,) = ray.nodes()
    return node_stats(node["NodeManagerAddress"], node["NodeManagerPort"], include_memory_info=False).store_stats


def test_an_epoch_uses_every_row_once_although_they_do_not_fit_into_the_store(figures):
    """The oracle: the loss by NumPy. A mean row that was lost or used twice would change it by a part in 80,000."""
    assert figures["loss"] == pytest.approx(figures["reckoned"], rel=1e-6)


def test_several_times_the_store_goes_through_it_and_nothing_is_spilled(figures):
    """Every prepared row was made once and lay in the store. Whatever it cannot hold Ray puts on the disk, and counts.

    Spilling stays switched on: without it Ray would use the disk as well, but count only what lies there at the end.
    """
    assert store_stats().object_store_bytes_avail == RAY_STORE
    assert (figures["spilled"], figures["outside"]) == (0, 0)
    assert 4 * RAY_STORE < PREPARED <= figures["created"] < 1.5 * PREPARED
