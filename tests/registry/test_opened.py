"""A process opens a model once, however often it scores with it."""

import os
import time
from collections import Counter

import pyarrow as pa
import pytest

from nightjar.errors import ModelError
from nightjar.registry import opened as module
from nightjar.registry import verified
from nightjar.registry.opened import opened
from nightjar.tables.rows import in_tasks, number_tasks
from registry.conftest import FIRST, SECOND
from registry.made import ROWS

SCHEMA = pa.schema({"process": pa.int64(), "openings": pa.int64(), "tables": pa.int64()})


def test_each_python_worker_opens_it_once_over_tasks_and_jobs_on_a_local_master_too(registered, spark):
    """The artifact comes anew with every task: it is known again by its content."""
    artifact, start = verified.load(registered.environment, FIRST), time.monotonic_ns()
    expected = artifact.open().predict(ROWS)

    def score(batches):
        if getattr(module, "counted_since", None) != start:  # a worker may have opened others' models before
            module._open.cache_clear()
            module.counted_since = start
        tables = 0
        for _ in range(3):
            assert (opened(artifact).suited_to(ROWS).predict(ROWS) == expected).all()
            tables += 1
        list(batches)
        openings = module._open.cache_info().misses
        yield pa.record_batch([[os.getpid()], [openings], [tables]], schema=SCHEMA)

    processes: Counter = Counter()
    for _ in range(3):
        for row in in_tasks(number_tasks(spark, 4), score, SCHEMA).collect():
            assert row["openings"] == 1, row
            processes[row["process"]] += row["tables"]
    assert sum(processes.values()) == 3 * 4 * 3
    assert len(processes) <= 4  # two at once; some more where Spark has let idle ones go


def test_versions_are_told_apart_and_another_content_is_checked_anew(registered):
    one, other = (verified.load(registered.environment, subject) for subject in (FIRST, SECOND))
    assert opened(one) is opened(verified.load(registered.environment, FIRST))
    assert opened(one) is not opened(other) or one.manifest == other.manifest
    damaged = type(one)(
        one.where, one.manifest.__class__(**{**vars(one.manifest), "packages": {"numpy": "0.1"}}), one.files
    )
    with pytest.raises(ModelError, match=r"numpy 0\.1"):
        opened(damaged)
