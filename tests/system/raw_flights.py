"""The first weeks of the raw file of flights, for tests that need not read the whole year."""

import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

from oracles import flights as truth


def until(last: date, folder: Path) -> list[str]:
    """Copies the rows of all dates up to the one after `last`, as they are written; settings that read this copy."""
    end = last + timedelta(days=1)  # a night reads what is planned for the next day
    with zipfile.ZipFile(truth.folder() / "flights.csv.zip") as archive, archive.open(archive.namelist()[0]) as packed:
        header, *lines = io.TextIOWrapper(packed, encoding="utf-8")
    first = [line for line in lines if date(*map(int, line.split(",", 3)[:3])) <= end]
    file = folder / "flights.csv"
    file.write_text(header + "".join(first))
    return [f"project.sources.{name}.file={{path: {file}}}" for name in ("schedule", "landings")]
