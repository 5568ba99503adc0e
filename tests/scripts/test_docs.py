"""References made from the code say what it says now."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_reference_of_tables_is_that_of_their_definitions():
    spec = importlib.util.spec_from_file_location("documenting", ROOT / "scripts" / "documenting.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    assert program.TABLES.read_text(encoding="utf-8") == program.tables(), "out of date: run scripts/docs"
