"""What a bench says: JSON for programs, a table for people."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from measure import Measured
from rich.console import Console
from rich.table import Table


def ratios(seconds: Mapping[str, float]) -> dict[str, float]:
    """How many times as long as we each peer takes; empty without us."""
    return {name: seconds[name] / seconds["ours"] for name in seconds if name != "ours" and "ours" in seconds}


def told(bench: str, rows: dict[str, Any], measured: Measured, extra: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a bench. `seconds` and `ratio` are of the stored times."""
    times = measured.times
    seconds = {name: one.median_stored for name, one in times.items()}
    return {
        "bench": bench,
        "rows": rows,
        "seconds": seconds,
        "ratio": ratios(seconds),
        "consumed": {name: one.median_consumed for name, one in times.items()},
        "runs": {name: one.stored for name, one in times.items()},
        "consumed_runs": {name: one.consumed for name, one in times.items()},
        "errors": measured.errors,
        **extra,
    }


def write(outcome: dict[str, Any], target: Path | None) -> None:
    """To a file, whole or not at all."""
    if target is not None:
        part = target.with_name(f"{target.name}.part")
        part.write_text(json.dumps(outcome, indent=2) + "\n")
        part.replace(target)


def show(outcome: dict[str, Any]) -> None:
    """A line for each engine, fastest first."""
    table = Table(title=f"{outcome['bench']}: {outcome['rows']}")
    for heading in ("engine", "stored s", "consumed s", "x ours", "peak memory MB"):
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    for name, seconds in sorted(outcome["seconds"].items(), key=lambda item: item[1]):
        ratio = outcome["ratio"].get(name)
        table.add_row(
            name,
            f"{seconds:.2f}",
            f"{outcome['consumed'][name]:.2f}" if "consumed" in outcome else "",
            "" if ratio is None else f"{ratio:.2f}",
            f"{peak:,.0f}" if (peak := outcome["peak_memory_mb"].get(name)) is not None else "",
        )
    console = Console()
    console.print(table)
    if outcome.get("exponent") is not None:
        console.print(f"seconds grow with rows to the power of {outcome['exponent']:.3f}")
    for name, error in outcome["errors"].items():
        console.print(f"[red]{name}: {error}", soft_wrap=True)
