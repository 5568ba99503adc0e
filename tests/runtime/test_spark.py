"""How Java and its Python workers talk on one machine."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from nightjar.runtime import spark as spark_runtime

FOLDER = "spark.python.unix.domain.socket.dir"


def test_java_and_its_workers_talk_where_nobody_else_can_enter(spark):
    assert spark.range(2).mapInArrow(lambda batches: batches, "id long").count() == 2
    folder = Path(spark.sparkContext.getConf().get(FOLDER))  # what a later start asks for is too late for it
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_ISSOCK(file.stat().st_mode) for file in folder.iterdir())
    assert any(folder.iterdir())


def test_a_folder_whose_name_is_too_long_for_a_socket_is_not_used(tmp_path, monkeypatch):
    deep = tmp_path / ("a" * 60)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert spark_runtime._sockets() == {}


AS_BY_JAVA = {"PYTHON_DAEMON_KILL_WORKER_ON_FLUSH_FAILURE": "1"}
HUNG_UP = "import socket; here, java = socket.socketpair(); java.close(); "


def test_a_worker_that_java_has_hung_up_on_ends_without_a_word():
    """Spark's own one raises, and its parent prints that."""
    for module, code, said in (("pyspark.daemon", 1, "BrokenPipeError"), ("nightjar.runtime.daemon", 0, "")):
        asked = f"{HUNG_UP}from {module} import worker; print(worker(here, True))"
        ended = subprocess.run(
            [sys.executable, "-c", asked], capture_output=True, text=True, check=False, env=os.environ | AS_BY_JAVA
        )
        assert ended.returncode == code
        assert said in ended.stderr
        assert ("Traceback" in ended.stderr) == bool(said)
