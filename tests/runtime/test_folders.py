"""Temporary files lie in one folder for each process; that of a process that was killed goes when another starts."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

from nightjar.runtime import folders

PROGRAM = """
import sys, tempfile
from nightjar.runtime import folders
folders.use_process_folder()
print(tempfile.mkdtemp(), flush=True)
sys.stdin.read()
"""


def started(system):
    """A process that has made a temporary folder, and waits; and that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"TMPDIR": str(system)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_a_living_one_uses_is_not(tmp_path):
    system = tmp_path / "system"
    system.mkdir()
    foreign = system / "nightjar-of-somebody-else"
    foreign.mkdir()
    (living, of_living), (killed, of_killed) = started(system), started(system)
    (of_killed / "blockmgr").mkdir()
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert of_killed.exists()
    assert of_living.is_relative_to(system / f"nightjar-{os.getuid()}")
    assert stat.S_IMODE((system / f"nightjar-{os.getuid()}").stat().st_mode) == 0o700
    another, own = started(system)
    assert [of_killed.parent.exists(), of_living.exists(), own.exists(), foreign.exists()] == [False, True, True, True]
    for process in (living, another):
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert list((system / f"nightjar-{os.getuid()}").iterdir()) == []


def test_a_folder_is_dead_if_its_lock_can_be_had_whatever_lies_there(tmp_path):
    """A lock alone, a folder alone, and both: a process may be killed anywhere."""
    place = folders._place(tmp_path)
    for name in ("folder", "both"):
        (place / name).mkdir()
        (place / name / "file").touch()
    for name in ("lock", "both"):
        (place / f"{name}.lock").touch()
    own = folders._make_folder(tmp_path, os.getpid())
    assert {one.name for one in place.iterdir()} == {own.name, f"{own.name}.lock"}


def test_a_place_that_others_can_enter_is_not_used(tmp_path):
    for kind in ("open", "link", "file"):
        system = tmp_path / kind
        system.mkdir()
        place = system / f"nightjar-{os.getuid()}"
        if kind == "open":
            place.mkdir()
            place.chmod(0o755)
        elif kind == "link":
            place.symlink_to(tmp_path)
        else:
            place.touch()
        own = folders._make_folder(system, os.getpid())
        assert not own.is_relative_to(place)
        assert stat.S_IMODE(own.parent.stat().st_mode) == 0o700


def test_sockets_lie_where_their_paths_are_short_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "SYSTEM", tmp_path / ("a" * 60))
    assert len(str(folders.process_folder())) > folders.LONGEST >= len(str(folders.socket_folder()))
