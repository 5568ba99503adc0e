"""The catalogue at one glance: its numbers, and what somebody should look at."""

from nightjar.report.catalogue.contents import Catalogue
from nightjar.report.figures import Fact
from nightjar.report.formatting import count_noun


def facts(catalogue: Catalogue) -> list[Fact]:
    """The numbers of the page's head."""
    tables = catalogue.tables()
    live = [table for table in tables if table.live is not None]
    late = [table.name for table in tables if table.freshness.is_late]
    broken = [table.name for table in tables if table.problem]
    nobody = [table.name for table in tables if not table.owner]
    columns = sum(len(table.columns) for table in tables)
    project, read = catalogue.project, catalogue.reader
    shown = [
        Fact(str(len(live)), "tables", f"{len(tables) - len(live)} more are declared and not written yet", "tables"),
        Fact(f"{columns:,}", "columns", "with type, meaning and where they come from", "tables"),
        Fact(str(len(project.sources)), "sources", ", ".join(project.sources), "sources"),
        Fact(
            str(len(project.feature_names())),
            "features",
            "nothing reads them yet" if read is None else f"read by version {read.version}, {read.name or 'the model'}",
            "model",
        ),
        Fact(
            str(catalogue.newest or "none"),
            "newest night",
            f"late: {', '.join(late)}" if late else "every table of the night is there",
            "tables",
            is_marked=bool(late),
        ),
    ]
    if broken:
        shown.append(Fact(str(len(broken)), "cannot be opened", ", ".join(broken), "tables", is_marked=True))
    if nobody:
        detail = "name one: project.card.owner, and owner in each source's datasheet"
        shown.append(Fact(str(len(nobody)), "tables without an owner", detail, "tables"))
    return shown


def summary(catalogue: Catalogue) -> str:
    """What there is, in a few sentences."""
    project = catalogue.project
    sources, groups = count_noun(len(project.sources), "source"), count_noun(len(project.features), "group")
    extent = f"{count_noun(len(project.feature_names()), 'feature')} are made of {sources}, in {groups}"
    question = f"What is predicted: {project.label.question()}, within {project.label.horizon}."
    purpose = f" Purpose: {project.card.purpose}." if project.card.purpose else ""
    return f"{extent}. {question}{purpose}"
