"""A document on a terminal: its tables and sentences, without pictures."""

from rich.console import Console
from rich.table import Table as RichTable

from nightjar.report.document import Absence, Bullets, Cell, Chart, Details, Document, Facts, Paragraph, Part, Table


def show(document: Document, console: Console) -> None:
    """Print the document."""
    _print(console, f"{document.title}\n{document.meta}\n\n{document.summary}")
    for section in document.sections:
        _print(console, f"\n{section.title}")
        for part in section.parts:
            _show(part, console)


def _show(part: Part, console: Console) -> None:
    match part:
        case Table():
            console.print(_table(part))
        case Facts():
            for name, texts in part.items:
                _print(console, f"{name}: {'; '.join(texts)}")
        case Bullets():
            for text in part.items:
                _print(console, f"- {text}")
        case Paragraph() | Absence():
            _print(console, part.text)
        case Details():
            for one in part.parts:
                _show(one, console)
        case Chart():  # the table beside it says the same
            pass


def _table(part: Table) -> RichTable:
    table = RichTable(title=part.caption, title_justify="left")
    for head in part.heads:
        table.add_column(head, overflow="fold")
    for row in part.rows:
        table.add_row(*map(_text, row))
    return table


def _text(cell: Cell) -> str:
    words = f"{cell.text} ({cell.detail})" if cell.text and cell.detail else cell.text or f"none: {cell.why}"
    return words.replace("[", "\\[")


def _print(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
