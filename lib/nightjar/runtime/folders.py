"""Temporary files: all of a process lie in one folder, for its user alone; folders of processes that died are removed.

    <temporary folder of the system>/nightjar-<number of the user>/
        <name>/         what a process needs while it lives (0700)
        <name>.lock     held by flock as long as it does: whoever gets that lock knows that it is dead

A process number proves nothing: it may have been given to another process since, or be counted in another container.
"""

import atexit
import contextlib
import fcntl
import logging
import os
import secrets
import shutil
import stat
import tempfile
from functools import cache
from pathlib import Path

log = logging.getLogger("nightjar.folders")
SYSTEM = Path(tempfile.gettempdir())
LONGEST = 38
"""Letters of a folder for sockets: Ray adds up to 68, and the system takes 107."""


def own() -> Path:
    """The folder of this process; it goes when the process ends, or, if that is killed, when another one starts."""
    return _made(SYSTEM, os.getpid())


def own_for_sockets() -> Path:
    """The same, unless its path is too long for sockets: then one in /tmp."""
    return own() if len(str(own())) <= LONGEST else _made(Path("/tmp"), os.getpid())  # noqa: S108  (0700, ours)


def use() -> None:
    """Let this process, and those that it starts, make all their temporary files in its folder."""
    tempfile.tempdir = os.environ["TMPDIR"] = str(own())


@cache
def _made(system: Path, _process: int) -> Path:
    place = _place(system)
    _remove_dead(place)
    while True:
        lock = place / f"{secrets.token_hex(4)}.lock"
        held = _taken(lock)
        if held is not None:
            break
    folder = lock.with_suffix("")
    folder.mkdir(mode=0o700)
    atexit.register(_leave, folder, lock, os.getpid())
    return folder


def _place(system: Path) -> Path:
    """Where the folders of this user lie: one that others can enter, or have made, is not used."""
    place = system / f"nightjar-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o700, parents=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        log.warning("%s is not this user's alone, so another folder is used: remove it, or run chmod go= on it", place)
        return Path(tempfile.mkdtemp(prefix="nightjar-", dir=system))
    return place


def _remove_dead(place: Path) -> None:
    for name in {one.stem for one in place.iterdir()}:
        lock = place / f"{name}.lock"
        held = _taken(lock)
        if held is not None:
            shutil.rmtree(place / name, ignore_errors=True)
            lock.unlink(missing_ok=True)
            os.close(held)


def _taken(lock: Path) -> int | None:
    """The lock's file, held from now on; None if another process holds it, or has removed it meanwhile."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(file), lock.stat()):
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(file)
    return None


def _leave(folder: Path, lock: Path, process: int) -> None:
    if process == os.getpid():  # a fork has inherited this, but not the folder
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
