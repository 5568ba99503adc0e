"""What people and machines read on standard error is what Nightjar says."""

import json
import logging
import subprocess
import sys

import pytest

from nightjar.runtime import logs

PROGRAM = "import runpy, sys; from nightjar.runtime import logs; logs.start(); runpy.run_path(sys.argv[1])"
LOGS = """
import logging
try:
    raise KeyboardInterrupt
except KeyboardInterrupt:
    logging.exception("while sending")
"""


@pytest.mark.parametrize(("folder", "is_shown"), [("py4j", False), ("others", True)])
def test_what_py4j_logs_of_an_interrupt_in_nobody_s_name_is_not_shown(tmp_path, folder, is_shown):
    file = tmp_path / folder / "java_gateway.py"
    file.parent.mkdir()
    file.write_text(LOGS)
    ran = subprocess.run([sys.executable, "-c", PROGRAM, file], capture_output=True, text=True, check=True)
    assert ("Traceback" in ran.stderr) == is_shown


def failed() -> logging.LogRecord:
    """What is logged of a failure that has a cause."""
    try:
        try:
            open("/no/such/folder/file")  # noqa: PTH123, SIM115
        except OSError as error:
            raise ValueError("in two\nlines") from error
    except ValueError:
        return logging.LogRecord("nightjar.job", logging.ERROR, "job.py", 1, "unexpected", (), sys.exc_info())


def test_a_traceback_with_its_causes_is_part_of_the_line_for_machines_and_follows_the_one_for_people():
    for_people = logs._ForPeople().format(failed()).splitlines()
    for_machines = logs._ForMachines().format(failed())
    assert "\n" not in for_machines
    line = json.loads(for_machines)
    assert (for_people[0][-12:], line["message"]) == ("✗ unexpected", "unexpected")
    for traceback in (for_people[1:], line["traceback"].splitlines()):
        assert traceback[0] == "Traceback (most recent call last):"
        assert "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/folder/file'" in traceback
        assert traceback[-2:] == ["ValueError: in two", "lines"]
