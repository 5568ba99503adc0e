"""Distributed training on prepared rows that Ray's object store cannot hold: streamed, nothing on the disk."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
import ray
import torch
from deltalake import write_deltalake
from ray._private.internal_api import node_stats

from builders import RAY_STORE
from nightjar.learning.distributed.batches import LaneLayout, StreamedRows, batches
from nightjar.learning.distributed.source import Source
from nightjar.learning.distributed.streaming import Stream, count, put_stream
from nightjar.models.columns import FeatureColumn, to_frame
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.preparation import preparation as preparation_of
from nightjar.settings.columns import Category
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task
from nightjar.tables import scan
from nightjar.tables.warehouse import Warehouse

SITES = 1000  # each becomes an input: a small table makes much data
ROWS = 45_000
PREPARED = ROWS * (SITES + 2) * 4  # bytes: the inputs, the label and the weight in float32
FEATURES = (FeatureColumn("site", "category"),)
LAYOUT = LaneLayout(lanes=2, step=500, piece=1000)


@pytest.fixture(scope="module")
def figures(tmp_path_factory, ray_started):
    """Of an epoch of two workers step by step, both in this process: their rows, and what Ray's store says of it."""
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
    inputs = preparation.fit_transform(to_frame(every_site, FEATURES), every_site["label"].to_numpy())
    counted, before = count(source, 120.0), stored()
    stream = put_stream(Stream(source, preparation, (0.0, 1.0), ()), 120.0)
    all_rows = StreamedRows(stream, counted.census.groups, counted.census.weight)
    workers = [batches(all_rows, LAYOUT, worker, 2, torch.device("cpu"), (3, 0)) for worker in range(2)]
    steps = itertools.chain.from_iterable(zip(*workers, strict=True))
    streamed = np.concatenate([plain(share) for step in steps for share in step.shares])
    since = {name: after - before[name] for name, after in stored().items()}
    site = np.asarray(inputs).argmax(axis=1)[np.arange(ROWS) % SITES]
    return {
        "streamed": streamed,
        "expected": np.column_stack([rows["label"].to_numpy(), site]).astype(np.float32),
        **since,
    }


def plain(share):
    """The label of each row, and which of its inputs is set."""
    return np.column_stack([share.label.numpy(), share.inputs.argmax(dim=1).numpy()]).astype(np.float32)


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


def test_an_epoch_has_every_row_once_although_they_do_not_fit_into_the_store(figures):
    """The oracle: the table itself, of whose labels hardly two are the same."""
    streamed, expected = (rows[np.lexsort(rows.T)] for rows in (figures["streamed"], figures["expected"]))
    np.testing.assert_array_equal(streamed, expected)


def test_twice_the_store_goes_through_it_and_nothing_is_spilled(figures):
    """Every prepared row was made once and lay in the store. Whatever it cannot hold Ray puts on the disk, and counts.

    Spilling stays switched on: without it Ray would use the disk as well, but count only what lies there at the end.
    """
    assert store_stats().object_store_bytes_avail == RAY_STORE
    assert (figures["spilled"], figures["outside"]) == (0, 0)
    assert 2 * RAY_STORE < PREPARED <= figures["created"] < 1.5 * PREPARED
