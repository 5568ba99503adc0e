"""What the gates say, on a terminal and elsewhere."""

import logging
from datetime import date

import pytest

from nightjar.pipeline import gates
from nightjar.registry.events import Version
from nightjar.registry.gates.outcome import Outcome, Verdict

OUTCOMES = [
    Outcome("slices", Verdict.PASSED, "None of 3 slices is worse.", 0.012345, -0.02, 1200),
    Outcome("schema", Verdict.REFUSED, "changed: weekday is date32[day].", 1, 0),
]
SHARE = {"estimate": 0.01, "low": 0.005, "high": 0.02}
SWAPPED = {"rows": 12, "share": SHARE, "outcome_rate": {"estimate": None, "low": None, "high": None}}


@pytest.mark.parametrize("terminal", [True, False])
def test_each_gate_is_a_row_of_a_table_on_a_terminal_and_a_line_of_the_log_elsewhere(
    terminal, monkeypatch, capsys, caplog
):
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "150")
    logger = logging.getLogger("nightjar.promote")
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.INFO, "nightjar.promote"):
        gates.show(Version("7", "w", date(2024, 4, 1), {"swaps": {"in": SWAPPED, "out": SWAPPED}}), OUTCOMES)
    logger.removeHandler(caplog.handler)
    lines = capsys.readouterr().out if terminal else caplog.text
    for part in ("slices", "passed", "None of 3 slices is worse.", "refused", "weekday is date32[day]."):
        assert part in lines
    assert ("1,200" in lines) == terminal
    shown = (
        "version 7, decisions that differ from the champion's: 12 rows acted on from now on (1.00%, 0.50% to 2.00%); 12"
    )
    assert shown in caplog.text
