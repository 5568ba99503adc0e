"""Temporary files: all of a process are in one private folder; folders of processes that died are removed.

    <temporary folder of the system>/nightjar-<number of the user>/
        <name>/         the files of a process while it lives (0700)
        <name>.lock     locked by flock while it lives: whoever gets that lock knows that it is dead

A process number proves nothing: another process may have it by now, or it is counted in another container.
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
"""Longest path of a folder for sockets, in characters: Ray adds up to 68, and the system's limit is 107."""


def process_folder() -> Path:
    """The folder of this process; it is removed when the process ends, or, if that is killed, when another starts."""
    return _make_folder(SYSTEM, os.getpid())


def socket_folder() -> Path:
    """The same, unless its path is too long for sockets: then one in /tmp."""
    folder = process_folder()
    return folder if len(str(folder)) <= LONGEST else _make_folder(Path("/tmp"), os.getpid())  # noqa: S108  (0700, ours)


def use_process_folder() -> None:
    """Let this process, and those that it starts, create all their temporary files in its folder."""
    tempfile.tempdir = os.environ["TMPDIR"] = str(process_folder())


@cache
def _make_folder(system: Path, _process: int) -> Path:
    place = _place(system)
    _remove_dead(place)
    while True:
        lock = place / f"{secrets.token_hex(4)}.lock"
        lock_file = _try_lock(lock)
        if lock_file is not None:
            break
    folder = lock.with_suffix("")
    folder.mkdir(mode=0o700)
    atexit.register(_leave, folder, lock, os.getpid())
    return folder


def _place(system: Path) -> Path:
    """The parent of this user's folders; one that others can enter, or have created, is not used."""
    place = system / f"nightjar-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o700, parents=True)
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        log.warning("%s is not this user's alone, so another folder is used: remove it, or run chmod go= on it", place)
        return Path(tempfile.mkdtemp(prefix="nightjar-", dir=system))
    return place


def _remove_dead(place: Path) -> None:
    for name in {entry.stem for entry in place.iterdir()}:
        lock = place / f"{name}.lock"
        lock_file = _try_lock(lock)
        if lock_file is not None:
            shutil.rmtree(place / name, ignore_errors=True)
            lock.unlink(missing_ok=True)
            os.close(lock_file)


def _try_lock(lock: Path) -> int | None:
    """Lock the file and return its descriptor; None if another process has the lock, or has removed the file."""
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
    if process == os.getpid():  # a fork has inherited this exit handler, but does not own the folder
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
