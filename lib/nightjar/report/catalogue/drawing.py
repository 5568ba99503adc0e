"""Graphs in layers from left to right, as inline SVG: nodes that are links, and curves between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from nightjar.report.formatting import shorten
from nightjar.report.svg import text

MOST_LETTERS = 27
_LETTER, _INSET, _GAP, _ROW, _BOX, _HEAD = 7.7, 9.0, 54.0, 28.0, 22.0, 30.0
_THIN, _THICK = 1.2, 7.0
_SWEEPS = 4


@dataclass(frozen=True)
class Node:
    """A box with a name.

    Attributes:
        layer: its place from the left, from 0.
        kind: decides its colour.
        href: where it leads.
        title: what it says in full.
        group: boxes of one group stand together under its name; empty: none.
    """

    name: str
    layer: int
    kind: str
    href: str
    title: str
    group: str = ""


@dataclass(frozen=True)
class Edge:
    """A curve from a node to one on its right, by their places in a list; of weight 0 to 1."""

    start: int
    end: int
    weight: float = 0.0


@dataclass(frozen=True)
class _Box:
    """Where a node is drawn."""

    x: float
    y: float
    width: float


def draw(nodes: Sequence[Node], edges: Sequence[Edge], heads: Sequence[str], title: str) -> Markup:
    """A graph.

    Args:
        nodes: its boxes, of each layer in the order in which they are best seen; of a layer with groups, together.
        edges: between them.
        heads: the name of each layer.
        title: what people hear who do not see it.
    """
    layers = [[place for place, node in enumerate(nodes) if node.layer == layer] for layer in range(len(heads))]
    widths = [_width([heads[n], *(nodes[one].name for one in layer)]) for n, layer in enumerate(layers)]
    lefts = [_INSET + sum(widths[:n]) + n * _GAP for n in range(len(layers))]
    ordered = _untangle(layers, nodes, edges)
    height = max((_height(layer, nodes) for layer in ordered), default=0.0) + _HEAD + _INSET
    boxes, parts = dict[int, _Box](), list[Markup]()
    for n, layer in enumerate(ordered):
        parts.append(text("head", lefts[n], 16, heads[n], "start"))
        y, group = _HEAD + (height - _HEAD - _height(layer, nodes)) / 2, ""
        for one in layer:
            if nodes[one].group != group:
                group = nodes[one].group
                parts.append(text("group", lefts[n], y + 17, shorten(group, MOST_LETTERS + 6), "start"))
                y += _ROW - 4
            boxes[one] = _Box(lefts[n], y, widths[n])
            y += _ROW
    curves = [_curve(one, boxes) for one in edges]
    parts = [*curves, *parts, *(_box(place, node, boxes[place]) for place, node in enumerate(nodes))]
    width = lefts[-1] + widths[-1] + _INSET
    start = Markup('<svg class="graph" role="group" aria-label="{0}" width="{1:.0f}" height="{2:.0f}" ').format(
        title, width, height
    )
    return (
        start + Markup('viewBox="0 0 {:.0f} {:.0f}">').format(width, height) + Markup("").join(parts) + Markup("</svg>")
    )


def _width(names: Sequence[str]) -> float:
    return 2 * _INSET + _LETTER * max(min(len(name), MOST_LETTERS) for name in names)


def _height(layer: Sequence[int], nodes: Sequence[Node]) -> float:
    groups = len({nodes[one].group for one in layer} - {""})
    return len(layer) * _ROW + groups * (_ROW - 4)


def _untangle(layers: Sequence[list[int]], nodes: Sequence[Node], edges: Sequence[Edge]) -> list[list[int]]:
    """Layers in which a node stands at the height of its neighbours, those on the right first; groups stay as they are.

    The heuristic of Sugiyama et al. (1981), by means.
    """
    beside: dict[int, list[int]] = {place: [] for place in range(len(nodes))}
    for edge in edges:
        beside[edge.start].append(edge.end)
        beside[edge.end].append(edge.start)
    ordered = [list(layer) for layer in layers]
    for _ in range(_SWEEPS):
        for layer in reversed(ordered):
            if any(nodes[one].group for one in layer):
                continue
            heights = {place: rank / max(len(row), 1) for row in ordered for rank, place in enumerate(row)}
            layer.sort(key=lambda one, at=heights: _mean(beside[one], at, at[one]))  # type: ignore[misc]
    return ordered


def _mean(neighbours: Sequence[int], heights: Mapping[int, float], own: float) -> float:
    return fmean(heights[one] for one in neighbours) if neighbours else own


def _curve(edge: Edge, boxes: Mapping[int, _Box]) -> Markup:
    start, end = boxes[edge.start], boxes[edge.end]
    x, y, to_x, to_y = start.x + start.width, start.y + _BOX / 2, end.x, end.y + _BOX / 2
    reach = min((to_x - x) / 2, 90.0)
    path = f"M{x:.0f} {y:.0f}C{x + reach:.0f} {y:.0f} {to_x - reach:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
    width = _THIN + (_THICK - _THIN) * edge.weight
    return Markup('<path class="edge" d="{}" stroke-width="{:.1f}" data-from="{}" data-to="{}"/>').format(
        path, width, edge.start, edge.end
    )


def _box(place: int, node: Node, box: _Box) -> Markup:
    return Markup(
        '<a class="node {}" href="{}" data-node="{}"><title>{}</title>'
        '<rect x="{:.0f}" y="{:.0f}" width="{:.0f}" height="{:.0f}" rx="4"/>{}</a>'
    ).format(
        *(node.kind, node.href, place, node.title, box.x, box.y, box.width, _BOX),
        text("", box.x + _INSET, box.y + 15.5, shorten(node.name, MOST_LETTERS), "start"),
    )
