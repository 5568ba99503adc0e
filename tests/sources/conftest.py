"""Nights of one source whose file is a text."""

from dataclasses import replace
from datetime import date

import pytest

import builders
from nightjar.settings.label import Label
from nightjar.settings.spine import Spine
from nightjar.sources.ingest import ingest

D1 = date(2024, 4, 1)


@pytest.fixture
def project_of(tmp_path):
    def make(source):
        return replace(
            builders.machines(tmp_path),
            sources={"readings": source},
            spine=Spine("readings", ["machine"], source.key[-1]),
            label=Label("readings", {"machine": "machine"}, "temperature", "1d"),
            features={},
        )

    return make


@pytest.fixture
def night(spark, warehouse, project_of, tmp_path):
    """Ingest a text as the night of a date; the run before it is the one of `previous`."""

    def run(text, day=D1, previous=None, run_id="run", **options):
        path = tmp_path / "readings.csv"
        path.write_text(text)
        source = builders.readings(path, **{"refuse_above": 1.0} | options)
        return ingest(spark, warehouse, project_of(source), day, previous, run_id, tmp_path / "raw", builders.unchecked)

    return run
