"""Nights of one source whose file is a text, or a table of Parquet; a PostgreSQL."""

import shutil
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import builders
from nightjar.runtime import folders
from nightjar.settings.files import File, FileFormat
from nightjar.settings.label import Label
from nightjar.settings.spine import Spine
from nightjar.sources.ingest import ingest
from sources import postgres

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
def landing(tmp_path):
    """A folder to which files come."""
    (tmp_path / "landing").mkdir()
    return tmp_path / "landing"


@pytest.fixture
def night(spark, warehouse, project_of, tmp_path):
    """Ingest a text, or a table, as the night of a date; the run before it is the one of `previous`."""

    def run(content, day=D1, previous=None, run_id="run", **options):
        path = tmp_path / "readings.csv"
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
            options = {"file": File(str(path), format=FileFormat.PARQUET)} | options
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        source = builders.readings(path, **{"refuse_above": 1.0} | options)
        return ingest(spark, warehouse, project_of(source), day, previous, run_id, tmp_path / "raw", builders.unchecked)

    return run


@pytest.fixture
def run(spark, warehouse, project_of, tmp_path):
    """Ingest some sources as the night of a date; the run before it is the one of `previous`."""

    def run_night(sources, day, previous=None, run_id=None):
        name, source = next(iter(sources.items()))
        project = project_of(source)
        named = {"spine": replace(project.spine, source=name), "label": replace(project.label, source=name)}
        project = replace(project, sources=sources, **named)
        return ingest(
            spark, warehouse, project, day, previous, run_id or f"of-{day}", tmp_path / "raw", builders.unchecked
        )

    return run_night


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL. Its folder is no other test's, as another user enters it."""
    if postgres.BINARIES is None:
        pytest.skip("there is no PostgreSQL: scripts/setup --browser installs it")
    # Not where this process has its own temporary files, once a test has run a job: nobody else enters that folder.
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=folders.SYSTEM))
    running = postgres.Server(folder)
    yield running
    running.stop()
    shutil.rmtree(folder)


@pytest.fixture
def shop(server, monkeypatch):
    """An empty database, and the password of its reader where settings look for it."""
    monkeypatch.setenv(postgres.VARIABLE, postgres.PASSWORD)
    return postgres.Shop(server)
