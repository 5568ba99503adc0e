"""The stored facts of a source over time, for the terminal."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich.markup import escape
from rich.table import Table

from nightjar.profiling.stored.figures import Figure, figures, missing
from nightjar.profiling.stored.profile import SourceProfile
from nightjar.profiling.stored.series import Change
from nightjar.profiling.stored.wording import nothing, omissions, type_word
from nightjar.profiling.yaml import printable
from nightjar.report.formatting import compact

BLOCKS = "▁▂▃▄▅▆▇█"
WIDEST = 30  # signs of a line over time
OF_COLUMN = 2
"""Figures of a column besides the share without a value; the page has all."""


def table(profile: SourceProfile) -> Table:
    """A row for each of the most telling figures of a column: the median of earlier periods, the latest, the course."""
    grid = Table(title=escape(title(profile)), title_justify="left")
    for head in ("column", "type", "figure", "before", "latest"):
        grid.add_column(head, justify="right" if head in ("before", "latest") else "left", overflow="fold")
    grid.add_column(f"by {profile.periods.unit.value}, least to greatest", no_wrap=True)
    facts = Figure("facts", tuple(map(float, profile.facts.tolist())), compact)
    grid.add_row("", "", *_cells(facts), end_section=True)
    for column in profile.columns:
        rows = [*([missing(column)] if column.missing.any() else []), *figures(column)[:OF_COLUMN]]
        for place, figure in enumerate(rows or [missing(column)]):
            name, kind = (column.name, type_word(column.type)) if place == 0 else ("", "")
            grid.add_row(escape(printable(name)), escape(kind), *_cells(figure))
    return grid


def title(profile: SourceProfile) -> str:
    """Which facts these are."""
    periods = profile.periods
    of_nights = f", as of the night of {profile.run_date}" if profile.run_date else ""
    return (
        f"{profile.source}: {int(profile.facts.sum()):,} stored facts of {periods.since} to {periods.until}, by "
        f"{periods.unit.value} of event_time ({profile.zone}){of_nights}"
    )


def remarks(profile: SourceProfile, changes: Sequence[Change]) -> Iterator[str]:
    """What stands out, and which facts and columns are not shown."""
    if changes:
        yield "What stands out:"
        yield from (f"  {change.column}: {change.words}" for change in changes)
    else:
        yield nothing(profile)
    yield from omissions(profile)


def _cells(figure: Figure) -> Iterator[str]:
    usual, latest = figure.usual(), figure.latest()
    yield escape(printable(figure.name))
    yield "-" if usual is None else figure.shown(usual)
    yield "-" if latest is None else figure.shown(latest)
    yield _course(figure) if figure.is_comparable else ""


def _course(figure: Figure) -> str:
    """The values as blocks from the least to the greatest, a blank where there is none; some together where many."""
    values = np.array([np.nan if value is None else value for value in figure.values])
    parts = np.array_split(values, min(len(values), WIDEST))
    means = [float(np.nanmean(part)) if np.isfinite(part).any() else None for part in parts]
    present = [value for value in means if value is not None]
    low, high = min(present, default=0.0), max(present, default=0.0)
    if low == high:
        return "".join(" " if value is None else BLOCKS[3] for value in means)
    steps = [None if value is None else round((value - low) / (high - low) * (len(BLOCKS) - 1)) for value in means]
    return "".join(" " if step is None else BLOCKS[step] for step in steps)
