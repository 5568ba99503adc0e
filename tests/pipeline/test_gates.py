"""What the gates say, on a terminal and elsewhere."""

import logging

import pytest

from nightjar.pipeline import gates
from nightjar.registry.gates.outcome import Outcome, Verdict

OUTCOMES = [
    Outcome("slices", Verdict.PASSED, "None of 3 slices is worse.", 0.012345, -0.02, 1200),
    Outcome("schema", Verdict.REFUSED, "changed: weekday is date32[day].", 1, 0),
]


@pytest.mark.parametrize("terminal", [True, False])
def test_each_gate_is_a_row_of_a_table_on_a_terminal_and_a_line_of_the_log_elsewhere(
    terminal, monkeypatch, capsys, caplog
):
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "150")
    logger = logging.getLogger("nightjar.promote")
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.INFO, "nightjar.promote"):
        gates.show("7", OUTCOMES)
    logger.removeHandler(caplog.handler)
    lines = capsys.readouterr().out if terminal else caplog.text
    for part in ("slices", "passed", "None of 3 slices is worse.", "refused", "weekday is date32[day]."):
        assert part in lines
    assert ("1,200" in lines) == terminal
