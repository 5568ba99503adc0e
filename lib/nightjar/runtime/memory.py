"""The most memory that this process has held, as Linux counts it; that of other processes is not in it."""

import re
from pathlib import Path

_PROCESS = Path("/proc/self")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def forget_peak() -> None:
    """Let the peak be counted anew, where the system can; else it is that of the process's whole life."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return


def peak() -> int | None:
    """In bytes; None where the system does not tell."""
    try:
        status = (_PROCESS / "status").read_text()
    except OSError:
        return None
    match = _PEAK.search(status)
    return None if match is None else int(match[1]) * 1024
