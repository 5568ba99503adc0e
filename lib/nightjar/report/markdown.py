"""A document as Markdown, as GitHub and Hugging Face show it."""

import re
from collections.abc import Iterator, Sequence

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

_LETTERS = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9])")
_LINE_START = re.compile(r"^(#+|[+-]|\d+[.)])(?=\s|$)")


def render(document: Document) -> str:
    """The document as text; charts are left out, and what is folded up on a page stands there."""
    facts = [
        f"**{escape(one.value)}** {escape(one.label)}{f' ({escape(one.detail)})' if one.detail else ''}"
        for one in document.facts
    ]
    parts = [
        f"# {escape(document.title)}",
        f"*{escape(document.eyebrow)}.* {escape(document.meta)}",
        "\n".join(f"- {fact}" for fact in facts),
        escape(document.summary),
    ]
    for section in document.sections:
        parts.append(f"## {escape(section.title)}")
        parts += [text for part in section.parts for text in _shown(part, 3)]
    parts += [escape(line) for line in document.footer]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    r"""The text, with nothing in it that Markdown or HTML would take for markup.

    Example:
        >>> print(escape("# a*b | <script> __init__ late_rate_7d"))
        \# a\*b \| &lt;script&gt; \_\_init\_\_ late_rate_7d
    """
    flat = " ".join(text.split())
    plain = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINE_START.sub(lambda start: f"\\{start[1]}", _LETTERS.sub(_escape_each, plain))


def _escape_each(match: re.Match[str]) -> str:
    return "".join(f"\\{letter}" for letter in match[0])


def _shown(part: Part, level: int) -> Iterator[str]:
    match part:
        case Table():
            yield f"{escape(part.caption)}:"
            yield _table(part)
        case Facts():
            yield "\n".join(f"- **{escape(name)}**: {'; '.join(map(escape, texts))}" for name, texts in part.items)
        case Bullets():
            yield "\n".join(f"- {escape(text)}" for text in part.items)
        case Paragraph() | Absence():
            yield escape(part.text)
        case Details():
            yield f"{'#' * level} {escape(part.summary)}"
            for one in part.parts:
                yield from _shown(one, level + 1)
        case Chart() | Gallery():
            return


def _table(part: Table) -> str:
    lines = [_line([escape(head) for head in part.heads]), _line(["---"] * len(part.heads))]
    return "\n".join(lines + [_line([_cell(one) for one in row]) for row in part.rows])


def _cell(cell: Cell) -> str:
    if not cell.text:
        return f"– ({escape(cell.why)})"
    marked = f"▲ {escape(cell.text)}" if cell.is_marked else escape(cell.text)
    if not cell.detail:
        return marked
    return f"{marked}, {escape(cell.detail)}" if "(" in cell.detail else f"{marked} ({escape(cell.detail)})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
