"""A document on a terminal: its tables and sentences, without charts."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from nightjar.report.document import (
    Absence,
    Bullets,
    Cell,
    Chart,
    Details,
    Document,
    Facts,
    Gallery,
    Paragraph,
    Part,
    Table,
)


def show(document: Document, console: Console) -> None:
    """Print its sections; what is folded up on a page is left to the page."""
    console.print(Text(document.title, "bold"))
    console.print(Text(document.summary))
    for section in document.sections:
        console.print()
        console.print(Text(section.title, "bold"))
        for part in section.parts:
            for shown in _shown(part):
                console.print(shown, highlight=False, markup=False)


def _shown(part: Part) -> Iterator[Grid | Text]:
    match part:
        case Table():
            yield _grid(part)
        case Facts():
            yield from (Text(f"{name}: {'; '.join(texts)}") for name, texts in part.items)
        case Bullets():
            yield from (Text(f"- {text}") for text in part.items)
        case Paragraph() | Absence():
            yield Text(part.text)
        case Details():
            yield Text(f"{part.summary}: on the page")
        case Chart() | Gallery():
            return


def _grid(part: Table) -> Grid:
    grid = Grid(title=part.caption, title_justify="left")
    for head in part.heads:
        grid.add_column(Text(head), overflow="fold")
    for row in part.rows:
        grid.add_row(*map(_text, row))
    return grid


def _text(cell: Cell) -> Text:
    if not cell.text:
        return Text(f"– {cell.why}" if cell.why else "–", "dim")
    text = Text(cell.text, "yellow" if cell.is_marked else "")
    return text.append(f"\n{cell.detail}", "dim") if cell.detail else text
