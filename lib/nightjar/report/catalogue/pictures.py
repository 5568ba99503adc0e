"""The picture of a project: raw data, sources, groups of features, the model, and its scores."""

from collections.abc import Mapping

from markupsafe import Markup

from nightjar.expressions.lineage import Layer, TableColumn, features
from nightjar.report.catalogue.anchors import of_column, of_source, of_table
from nightjar.report.catalogue.contents import Catalogue
from nightjar.report.catalogue.drawing import Edge, Node, draw
from nightjar.report.formatting import count_noun
from nightjar.settings.project import Project
from nightjar.tables.source_definitions import source_table_name

SCORE = TableColumn(Layer.SCORES, "scores", "score")
LABEL = TableColumn(Layer.LABELS, "labels", "label")
OF_THE_ROW, COMPUTED = "the row itself", "expressions"
HEADS = ("raw data", "sources", "groups of features", "model", "scores", "served now")


def feature_groups(project: Project) -> dict[str, tuple[str, list[str]]]:
    """Title of a group -> its source (none of expressions), and its features."""
    groups = {OF_THE_ROW: (project.spine.source, list(project.spine.features))}
    groups |= {name: (group.source, group.names(name)) for name, group in project.features.items()}
    groups[COMPUTED] = ("", list(project.expressions))
    return {name: (source, names) for name, (source, names) in groups.items() if names}


def shares(catalogue: Catalogue) -> Mapping[str, float]:
    """Feature -> its importance as a share of the greatest; empty: not measured."""
    measured = {} if catalogue.reader is None else catalogue.reader.importance
    losses = {name: max(one.estimate or 0.0, 0.0) for name, one in measured.items()}
    most = max(losses.values(), default=0.0)
    return {name: loss / most for name, loss in losses.items()} if most else {}


def of_project(catalogue: Catalogue) -> Markup:
    """The project at one glance."""
    return _Picture(catalogue).drawn()


class _Picture:
    """Nodes by kind and name, and the edges between them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue, self.project = catalogue, catalogue.project
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.places: dict[tuple[str, str], int] = {}

    def drawn(self) -> Markup:
        self._add_sources()
        self._add_features()
        reader, share = self.catalogue.reader, shares(self.catalogue)
        name = "no model yet" if reader is None else f"{reader.name or 'model'}, version {reader.version}"
        model = self._add("model", name, 3, of_table("model_events"), "the champion")
        for group, (_, names) in feature_groups(self.project).items():
            weight = max((share.get(one, 0.0) for one in names), default=0.0)
            self.edges.append(Edge(self.places["features", group], model, weight))
        self.edges.append(Edge(self.places["label", "label"], model))
        scores = self._add("score", "scores", 4, of_column(SCORE), "every prediction of every night")
        latest = self._add("score", "scores_latest", 5, of_table("scores_latest"), "the prediction that is served now")
        self.edges += [Edge(model, scores), Edge(scores, latest)]
        return draw(self.nodes, self.edges, HEADS, f"From raw data to the scores of {self.project.name}")

    def _add_sources(self) -> None:
        for name, source in self.project.sources.items():
            place = source.origin.place
            raw = self.places.get(("raw", place))
            if raw is None:
                raw = self._add("raw", place, 0, of_source(name), place, place.rpartition("/")[2])
            title = f"source {name}: {source.datasheet.purpose or count_noun(len(source.stored_columns()), 'column')}"
            facts = self._add("facts", name, 1, of_table(source_table_name(name)), title)
            self.edges.append(Edge(raw, facts))

    def _add_features(self) -> None:
        for group, (source, names) in feature_groups(self.project).items():
            title = f"{count_noun(len(names), 'feature')}: {', '.join(names[:8])}{', …' if names[8:] else ''}"
            here = self._add("features", group, 2, of_column(features(names[0])), title, f"{group} ({len(names)})")
            if source:
                self.edges.append(Edge(self.places["facts", source], here))
        label = self._add("label", "label", 2, of_column(LABEL), self.project.label.question())
        self.edges.append(Edge(self.places["facts", self.project.label.source], label))

    def _add(self, kind: str, name: str, layer: int, href: str, title: str, label: str = "") -> int:
        self.places[kind, name] = len(self.nodes)
        self.nodes.append(Node(label or name, layer, kind, href, title))
        return self.places[kind, name]
