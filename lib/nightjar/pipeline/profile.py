"""The job of profile: what a source's stored facts look like over time, printed and as a page; it writes no table."""

from dataclasses import replace

from rich.console import Console

from nightjar.errors import UsageError
from nightjar.masking.values import masking_of
from nightjar.pipeline.execution import Context, optional_date
from nightjar.profiling.stored import page, terminal
from nightjar.profiling.stored.changes import changes
from nightjar.profiling.stored.profile import Range, profile_source
from nightjar.report.page import save
from nightjar.settings.profile import Profile


def run(context: Context) -> None:
    """Look at the facts that the settings name; no lease is needed, and no run is recorded."""
    settings = context.settings
    if not isinstance(settings, Profile):
        raise UsageError("the job profile needs its own configuration")
    project, source = settings.project, settings.source
    within = Range(optional_date(settings.run_date), optional_date(settings.since), optional_date(settings.until))
    profile = profile_source(context.warehouse, project, source, within)
    masking = masking_of(project)
    columns = (one.without_values() if masking.hides(one.name) else one for one in profile.columns)
    profile = replace(profile, columns=tuple(columns))
    notable = changes(profile.columns, profile.periods)
    console = Console(width=max(130, Console().width))
    console.print(terminal.table(profile))
    for line in terminal.remarks(profile, notable):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    path = context.warehouse.path(f"reports/source-{source}.html")
    save(path, page.render(profile, notable, project.sources[source].datasheet, project.title or project.name))
    console.print(f"\nThe look as a page: {path}", highlight=False, markup=False, soft_wrap=True)
