"""A page as data: sections of facts, tables, charts and sentences, shown as HTML or Markdown, or on a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from nightjar.report.figures import Fact
from nightjar.report.formatting import figure, interval


@dataclass(frozen=True)
class Cell:
    """A value in a table.

    Attributes:
        text: empty: there is none.
        detail: below it, such as its interval.
        why: why there is no text.
        is_marked: whether it is to be looked at.
    """

    text: str
    detail: str = ""
    why: str = ""
    is_marked: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under heads; the first cell of a row names it.

    Attributes:
        names: the heads that are names, and are written as they are.
    """

    kind: ClassVar[str] = "table"
    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Facts:
    """Names with what is stated of each."""

    kind: ClassVar[str] = "facts"
    items: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Bullets:
    """Sentences that stand for themselves."""

    kind: ClassVar[str] = "bullets"
    items: Sequence[str]


@dataclass(frozen=True)
class Paragraph:
    """Sentences, of which a note is less."""

    kind: ClassVar[str] = "paragraph"
    text: str
    is_note: bool = False


@dataclass(frozen=True)
class Absence:
    """What there is instead of figures: why there are none."""

    kind: ClassVar[str] = "absence"
    text: str


@dataclass(frozen=True)
class Chart:
    """A picture, which Markdown and terminals do without: a table beside it says the same."""

    kind: ClassVar[str] = "chart"
    caption: str
    picture: Markup


@dataclass(frozen=True)
class Gallery:
    """Small pictures beside each other."""

    kind: ClassVar[str] = "gallery"
    charts: Sequence[Chart]


@dataclass(frozen=True)
class Details:
    """Parts that are folded up where a page can."""

    kind: ClassVar[str] = "details"
    summary: str
    parts: Sequence["Part"]


Part = Table | Facts | Bullets | Paragraph | Absence | Chart | Gallery | Details


@dataclass(frozen=True)
class Section:
    """Parts under a heading.

    Attributes:
        name: of its anchor.
    """

    name: str
    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Document:
    """A page.

    Attributes:
        eyebrow: what kind of page it is.
        title: what it is about.
        meta: the sentences below it.
        facts: its numbers at one glance.
        summary: what it says, in a few sentences.
        links: other files beside it: name -> relative address.
        footer: what it was made of.
    """

    eyebrow: str
    title: str
    meta: str
    facts: Sequence[Fact]
    summary: str
    sections: Sequence[Section]
    links: Sequence[tuple[str, str]] = ()
    footer: Sequence[str] = field(default_factory=list)


def estimate_cell(estimate: float | None, low: float | None, high: float | None, why: str = "undefined") -> Cell:
    """An estimate with its interval below it.

    Example:
        >>> estimate_cell(0.683, 0.661, 0.704)
        Cell(text='0.683', detail='0.661 to 0.704', why='', is_marked=False)
        >>> estimate_cell(None, None, None, "one class alone").why
        'one class alone'
    """
    if estimate is None:
        return Cell("", why=why)
    return Cell(figure(estimate), "no interval" if low is None or high is None else interval(low, high))
