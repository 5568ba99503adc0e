"""The charts of a column over time."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from nightjar.profiling.stored.columns import ColumnHistory
from nightjar.profiling.stored.figures import figures, frequent, missing, shares
from nightjar.profiling.stored.levels import Levels
from nightjar.profiling.stored.series import About, Change
from nightjar.report import period_charts
from nightjar.report.period_charts import Frame

OF_SHARES = {
    About.TRUES: "Share of true",
    About.MISSING: "Share without a value",
    About.ZEROS: "Share of 0",
    About.NOT_FINITE: "Share of NaN and infinities",
}


def charts(column: ColumnHistory, names: Sequence[str], changes: Sequence[Change]) -> Iterator[tuple[str, Markup]]:
    """What each chart shows, and the chart.

    Args:
        column: what it holds.
        names: of the periods.
        changes: what stands out in the column.
    """

    def frame(about: About) -> Frame:
        return Frame(names, {change.period for change in changes if change.about is about})

    values = {figure.name: figure.values for figure in figures(column)} | {About.MISSING.value: missing(column).values}
    if column.numbers is not None and column.present.any():
        words = "Median, within p5 to p95"
        low, middle, high = (values[name] for name in ("p5", "median", "p95"))
        yield words, period_charts.spread(frame(About.NUMBERS), low, middle, high, f"{column.name}: {words}")
    if column.levels is not None:
        yield from _of_levels(column, column.levels, frame(About.LEVELS))
    for about, words in OF_SHARES.items():
        if about.value in values and (about is not About.MISSING or column.missing.any()):
            yield words, period_charts.shares(frame(about), values[about.value], f"{column.name}: {words}")


def _of_levels(column: ColumnHistory, levels: Levels, frame: Frame) -> Iterator[tuple[str, Markup]]:
    """The most frequent texts, if there is more than one text, and any is frequent."""
    present = column.present
    rows = [
        (name, shares(counts, present), int(counts.sum()) / int(present.sum()))
        for name, counts in frequent(levels, present)
    ]
    if rows and len(levels.names) > 1:
        words = "Shares of the most frequent texts (right: over all)"
        yield words, period_charts.levels(frame, rows, f"{column.name}: {words}")
