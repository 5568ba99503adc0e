"""The picture of a source: its raw columns, what is computed of them, its features, and the score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from nightjar.expressions.lineage import Layer, Lineage, TableColumn, facts_column, features
from nightjar.report.catalogue.anchors import of_column
from nightjar.report.catalogue.contents import Catalogue
from nightjar.report.catalogue.drawing import Edge, Node, draw
from nightjar.report.catalogue.pictures import LABEL, OF_THE_ROW, SCORE, feature_groups, shares

MOST_BOXES = 400
"""Of one picture: with more, tables are easier to read."""
_OUTCOME, _CLOCKS = "what is predicted", "clocks"


@dataclass(frozen=True)
class Target:
    """What is made of a source's columns and drawn as one box: features that differ in their windows alone."""

    name: str
    group: str
    columns: tuple[TableColumn, ...]


def of_source(catalogue: Catalogue, source: str) -> Markup | None:
    """The picture of a source's columns; None: nothing is made of them, or too much to draw."""
    lineage, targets = catalogue.lineage, targets_of(catalogue, source)
    depths = _depths(lineage, source, targets)
    if not targets or len(depths) + len(targets) > MOST_BOXES:
        return None
    last = max(depths.values(), default=0) + 1
    columns = sorted(depths, key=lambda one: depths[one])
    nodes = [_node(lineage, one, one.name, depths[one]) for one in columns]
    nodes += [_node(lineage, one.columns[0], one.name, last, one.group) for one in targets]
    nodes.append(_node(lineage, SCORE, "score", last + 1))
    places = {one: place for place, one in enumerate(columns)}
    edges = [Edge(places[up], places[one]) for one in columns for up in inputs_of(lineage, one) if up in places]
    share, read = shares(catalogue), set(lineage.steps[SCORE].values)
    for place, target in enumerate(targets, start=len(columns)):
        ups = dict.fromkeys(up for one in target.columns for up in inputs_of(lineage, one))
        edges += [Edge(places[up], place) for up in ups if up in places]
        if read & set(target.columns):
            weight = max(share.get(one.name, 0.0) for one in target.columns)
            edges.append(Edge(place, len(nodes) - 1, weight))
    heads = ["raw columns", *["computed"] * (last - 1), "features, label, clocks", "model"]
    return draw(nodes, edges, heads, f"What is made of the columns of source {source}")


def targets_of(catalogue: Catalogue, source: str) -> list[Target]:
    """What is made of a source's columns, group by group; windows of one feature together."""
    project, targets = catalogue.project, list[Target]()
    for group, (of, names) in feature_groups(project).items():
        if of == source and group == OF_THE_ROW:
            targets += [Target(name, group, (features(name),)) for name in names]
        elif of == source:
            for label, feature in project.features[group].features.items():
                columns = feature.names(label)
                windows = " ".join(one.removeprefix(f"{label}_") for one in columns) if columns != [label] else ""
                name = f"{label} {windows}".strip()
                by = f"{group}, by {' and '.join(project.features[group].keys)}"
                targets.append(Target(name, by, tuple(features(f"{group}__{one}") for one in columns)))
    if project.label.source == source:
        targets.append(Target("label", _OUTCOME, (LABEL,)))
    if project.spine.source == source:
        targets.append(Target("prediction_time", _CLOCKS, (features("prediction_time"),)))
    clocks = [Target(clock, _CLOCKS, (facts_column(source, clock),)) for clock in ("event_time", "known_at")]
    return [*targets, *clocks] if targets else []


def inputs_of(lineage: Lineage, column: TableColumn) -> Sequence[TableColumn]:
    """The columns that a column's values are made of; one that came in as it is stands for the raw one."""
    return [_as_drawn(lineage, one) for one in lineage.steps[column].values] if column in lineage.steps else []


def _as_drawn(lineage: Lineage, column: TableColumn) -> TableColumn:
    values = lineage.steps[column].values if column in lineage.steps else ()
    came_in = len(values) == 1 and values[0].layer is Layer.RAW and values[0].name == column.name
    return values[0] if came_in else column


def _depths(lineage: Lineage, source: str, targets: Sequence[Target]) -> Mapping[TableColumn, int]:
    """The columns of the source behind the targets, and from how many others each is computed one after another."""
    depths: dict[TableColumn, int] = {}

    def depth(column: TableColumn) -> int:
        if column not in depths:
            depths[column] = max((depth(one) + 1 for one in inputs_of(lineage, column)), default=0)
        return depths[column]

    for target in targets:
        for one in target.columns:
            for up in inputs_of(lineage, one):
                if up.place.split(".")[0] == source:
                    depth(up)
    return depths


def _node(lineage: Lineage, column: TableColumn, name: str, layer: int, group: str = "") -> Node:
    step = lineage.steps.get(column)
    meaning = f"{column.layer} column of {column.place}" if step is None else step.meaning
    return Node(name, layer, _kind(column, step is None), of_column(column), f"{column.name}: {meaning}", group)


def _kind(column: TableColumn, is_raw: bool) -> str:  # noqa: FBT001  (whether it comes from outside)
    if is_raw:
        return column.layer.value
    return {Layer.FEATURES: "features", Layer.LABELS: "label", Layer.SCORES: "score"}.get(column.layer, "facts")
