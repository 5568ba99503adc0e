"""The catalogue as a page: one file that needs nothing else, with a script that finds columns and follows them."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from markupsafe import Markup

from nightjar.expressions.lineage import Layer, TableColumn, facts_column
from nightjar.report.catalogue import anchors, column_pictures, examples, pictures
from nightjar.report.catalogue.contents import Catalogue, ListedColumn, ListedTable
from nightjar.report.catalogue.summary import facts, summary
from nightjar.report.formatting import count_noun, figure, mebibytes
from nightjar.report.page import fill
from nightjar.report.queries import Query

_STYLE, _SCRIPT = "catalogue.css", "catalogue.js"
_NAMED = 4
"""Columns that one cell names; it counts the others."""


@dataclass(frozen=True)
class Link:
    """A name that leads somewhere."""

    name: str
    href: str


@dataclass(frozen=True)
class ReadFeature:
    """A feature that the model reads, with the raw columns behind it.

    Attributes:
        loss: what the model loses without it, in words; empty: not measured.
        together: how many further features the loss is of.
        share: of the greatest loss.
    """

    link: Link
    meaning: str
    raw: Sequence[Link]
    loss: str
    together: int
    share: float


def render(catalogue: Catalogue) -> str:
    """The page as text."""
    style, script = _resource(_STYLE), _resource(_SCRIPT)
    project = catalogue.project
    drawn = {name: column_pictures.of_source(catalogue, name) for name in project.sources}
    return fill(
        "nightjar.report.catalogue",
        "catalogue.html.j2",
        catalogue=catalogue,
        project=project,
        facts=facts(catalogue),
        summary=summary(catalogue),
        overview=pictures.of_project(catalogue),
        drawn=drawn,
        unused={name: _unused(catalogue, name) for name in project.sources},
        raw={name: _raw_columns(catalogue, name) for name in project.sources},
        read=_read_features(catalogue),
        across=examples.across(catalogue),
        view=View(catalogue),
        anchors=anchors,
        mebibytes=mebibytes,
        more_style=Markup(style),  # noqa: S704  (our own file)
        more_style_hash=_policy_hash(style),
        more_script=Markup(script),  # noqa: S704  (our own file)
        more_script_hash=_policy_hash(script),
    )


@dataclass(frozen=True)
class View:
    """What the template asks of columns and tables."""

    catalogue: Catalogue

    def queries(self, table: ListedTable) -> Sequence[Query]:
        """Examples of a table."""
        return examples.of_table(table, self.catalogue.newest)

    def inputs_of(self, column: ListedColumn) -> Sequence[Link]:
        """The columns that its values are made of."""
        return [] if column.step is None else [_link(self._shown(one)) for one in column.step.values]

    def _shown(self, column: TableColumn) -> TableColumn:
        """The column, or the raw one that it is where it is not stored: that has a row on the page."""
        source = self.catalogue.project.sources.get(column.place)
        if column.layer is not Layer.FACTS or source is None or column.name not in source.columns:
            return column
        return column if column.name in source.stored_columns() else TableColumn(Layer.RAW, column.place, column.name)

    def used_for(self, column: TableColumn) -> str:
        """What is made of a column, in words."""
        below = self.catalogue.lineage.below(column)
        count = sum(one.layer is Layer.FEATURES for one in below)
        parts = [count_noun(count, "feature")] if count else []
        parts += ["the label"] if any(one.layer is Layer.LABELS for one in below) else []
        return " and ".join(parts)

    def is_read(self, column: ListedColumn) -> bool:
        """Whether the model reads it."""
        return column.at is not None and column.at in self.catalogue.lineage.steps[pictures.SCORE].values

    def meaning(self, column: ListedColumn) -> str:
        """What a column is, in words: how it is made, where the contract says the same of all columns."""
        is_own = column.step is None or column.comment not in self._common(column)
        return column.comment if is_own or column.step is None else column.step.meaning

    def _common(self, column: ListedColumn) -> set[str]:
        generic = {"of the row to predict", "as of prediction_time"}
        return generic | {f"from source {column.at.place}" if column.at else ""}


@dataclass(frozen=True)
class RawColumn:
    """A raw column of a source: what may stand in it, and what is made of it."""

    name: str
    at: str
    type: str
    rule: str
    used_for: str


def _raw_columns(catalogue: Catalogue, source: str) -> list[RawColumn]:
    view, columns = View(catalogue), []
    for name, one in catalogue.project.sources[source].columns.items():
        raw = TableColumn(Layer.RAW, source, name)
        ends = [text for text, bound in (("at least", one.minimum), ("at most", one.maximum)) if bound is not None]
        bounds = [f"{text} {bound:g}" for text, bound in zip(ends, _bounds(one.minimum, one.maximum), strict=True)]
        levels = [f"one of {', '.join(one.levels)}"] if one.levels else []
        rules = [*(["required"] if one.required else []), *bounds, *levels]
        columns.append(RawColumn(name, anchors.place_of(raw), one.type.word, ", ".join(rules), view.used_for(raw)))
    return columns


def _bounds(*bounds: float | None) -> list[float]:
    return [one for one in bounds if one is not None]


def _unused(catalogue: Catalogue, source: str) -> list[str]:
    """Raw columns of which nothing is made, that is stored or decides which facts there are."""
    lineage, declared = catalogue.lineage, catalogue.project.sources[source]
    stored = {facts_column(source, name) for name in [*declared.stored_columns(), "event_time", "known_at"]}
    return [name for name in declared.columns if stored.isdisjoint(lineage.below(TableColumn(Layer.RAW, source, name)))]


def _read_features(catalogue: Catalogue) -> list[ReadFeature]:
    """The model's features, the one that it would miss most first."""
    reader = catalogue.reader
    measured = {} if reader is None else reader.importance
    share = pictures.shares(catalogue)
    rows = []
    for column in catalogue.lineage.steps[pictures.SCORE].values:
        step, one = catalogue.lineage.steps.get(column), measured.get(column.name)
        raw = [_link(up) for up in catalogue.lineage.raw(column)]
        loss = "" if one is None or one.estimate is None else figure(one.estimate, digits=4)
        meaning = "not among the project's features any more" if step is None else step.meaning
        together = 0 if one is None else one.together - 1
        rows.append(ReadFeature(_link(column), meaning, raw, loss, together, share.get(column.name, 0.0)))
    return sorted(rows, key=lambda row: -row.share)


def _link(column: TableColumn) -> Link:
    place = f"{column.place}." if column.layer in (Layer.RAW, Layer.LOOKUP) else ""
    return Link(f"{place}{column.name}", anchors.of_column(column))


def _resource(name: str) -> str:
    return resources.files("nightjar.report.catalogue").joinpath(name).read_text(encoding="utf-8")


def _policy_hash(text: str) -> str:
    """What a page's policy says of a style or script that it allows."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
