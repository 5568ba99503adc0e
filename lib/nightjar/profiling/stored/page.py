"""The stored facts of a source over time, as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from nightjar.profiling.stored.column_charts import charts
from nightjar.profiling.stored.columns import ColumnHistory
from nightjar.profiling.stored.figures import Figure, figures, missing
from nightjar.profiling.stored.jumps import CHANCE, EARLIER, SMALLEST_SHARE
from nightjar.profiling.stored.level_changes import COMING_AND_GOING, LONGEST, new_in_last
from nightjar.profiling.stored.levels import MOST_LEVELS
from nightjar.profiling.stored.lowest import SAMPLED
from nightjar.profiling.stored.profile import SourceProfile
from nightjar.profiling.stored.series import Change
from nightjar.profiling.stored.wording import nothing, omissions, type_word
from nightjar.report import period_charts
from nightjar.report.page import fill
from nightjar.report.period_charts import Frame
from nightjar.settings.datasheet import Datasheet

NAMED = 5


@dataclass(frozen=True)
class ColumnView:
    """A column as the page shows it.

    Attributes:
        column: what it holds.
        type: for people.
        missing: the share without a value.
        figures: of its values.
        charts: with what each shows.
        changes: what stands out.
        new: the texts that its last period has for the first time, the most frequent first.
    """

    column: ColumnHistory
    type: str
    missing: Figure
    figures: list[Figure]
    charts: list[tuple[str, Markup]]
    changes: list[Change]
    new: tuple[str, ...]

    @property
    def all_figures(self) -> list[Figure]:
        """Of its values, and the share without one first."""
        return [self.missing, *self.figures]


def render(profile: SourceProfile, changes: Sequence[Change], datasheet: Datasheet, project: str) -> str:
    """The page as text.

    Args:
        profile: what the source has stored.
        changes: what stands out in it.
        datasheet: of the source.
        project: its name for people.
    """
    names = [profile.periods.name(number) for number in range(len(profile.periods))]
    counts = profile.facts.tolist()
    columns = [_view(column, changes, names) for column in profile.columns]
    return fill(
        "nightjar.profiling.stored",
        "profile.html.j2",
        profile=profile,
        project=project,
        datasheet=datasheet.statements(),
        changes=changes,
        nothing=nothing(profile),
        omissions=list(omissions(profile)),
        facts_chart=period_charts.bars(Frame(names), counts, f"Facts by {profile.periods.unit.value}"),
        median=median(counts),
        places={column.name: number for number, column in enumerate(profile.columns, start=1)},
        names=names,
        counts=counts,
        columns=columns,
        rule={"earlier": EARLIER, "chance": round(1 / CHANCE), "smallest": SMALLEST_SHARE, "most": COMING_AND_GOING},
        limits={"sampled": SAMPLED, "levels": MOST_LEVELS, "named": NAMED},
        longest=LONGEST,
    )


def _view(column: ColumnHistory, changes: Sequence[Change], names: Sequence[str]) -> ColumnView:
    own = [change for change in changes if change.column == column.name]
    return ColumnView(
        column,
        type_word(column.type),
        missing(column),
        figures(column),
        list(charts(column, names, own)),
        own,
        new_in_last(column),
    )
