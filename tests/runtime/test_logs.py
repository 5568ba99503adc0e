"""What people and machines read on standard error is what Nightjar says."""

import subprocess
import sys

import pytest

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
