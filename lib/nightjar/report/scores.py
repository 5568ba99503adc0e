"""The night's scores, and their distribution compared with the training data's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from nightjar.report.formatting import shorten
from nightjar.report.histograms import Distribution, Slot, alone, compare, slot_edges
from nightjar.report.reading import PinnedTables
from nightjar.report.references import training_histograms
from nightjar.report.score_counts import ScoreCounts, count_between, count_in_bins, count_scores
from nightjar.settings.label import Label
from nightjar.settings.task import Task
from nightjar.tables.predictions import FALLBACK, PREDICTED, PREDICTED_CLASS


@dataclass(frozen=True)
class Scores:
    """The served scores of one night.

    Attributes:
        rows: how many predictions are served.
        versions: model version -> predictions; challengers last.
        other_roles: role -> predictions that are not served.
        warnings: sources that some of the scores need and of which too little arrived.
        unseen: native category -> scores whose level of it the model has not seen in training.
        distribution: None if there are no scores; its slots lack a reference if none is stored.
        predicted: of several classes: the shares of the predicted classes, likewise.
        fallback: who has scored in the champion's place -> predictions.
        challengers: version -> predictions that it serves as challenger.
    """

    rows: int
    versions: dict[str, int]
    other_roles: dict[str, int]
    mean: float | None
    least: float | None
    greatest: float | None
    warnings: tuple[str, ...]
    unseen: dict[str, int]
    distribution: Distribution | None
    predicted: Distribution | None = None
    fallback: dict[str, int] = field(default_factory=dict)
    challengers: dict[str, int] = field(default_factory=dict)

    def version(self) -> str | None:
        """The version that made most of them, of those that are no challengers where there are some."""
        return next(iter(self.versions), None)

    def version_has_reference(self) -> bool:
        """Whether the training scores of that version are stored, to draw beside the night's."""
        return self.distribution is not None and self.distribution.reference_nulls is not None


def read_scores(tables: PinnedTables, label: Label) -> Scores | None:
    """The night's scores; None where nothing was scored in any role."""
    counts = count_scores(tables)
    if not counts.served and not counts.others:
        return None
    by_frequency = _by_frequency(counts.values.get("model_version", Counter()))
    versions = dict(sorted(by_frequency.items(), key=lambda pair: pair[0] in counts.challengers))
    version, predicted = next(iter(versions), ""), counts.values.get(PREDICTED)
    return Scores(
        rows=counts.served,
        versions=versions,
        other_roles=dict(sorted(counts.others.items())),
        mean=counts.total / counts.finite if counts.finite else None,
        least=counts.least if counts.finite else None,
        greatest=counts.greatest if counts.finite else None,
        warnings=tuple(sorted(_parts(counts.values.get("input_warnings", Counter())))),
        fallback=_by_frequency(counts.values.get(FALLBACK, Counter())),
        challengers=_by_frequency(counts.challengers),
        unseen=_by_frequency(_parts(counts.values.get("unseen_levels", Counter()))),
        distribution=_distribution(tables, version, counts, label.task) if counts.served else None,
        predicted=_predicted(tables, version, predicted, counts.served, label.classes)
        if counts.served and label.classes and predicted is not None
        else None,
    )


def _by_frequency(counts: Counter[str]) -> dict[str, int]:
    """The most frequent first; of equal ones in order, so that the order of files changes nothing."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _parts(counts: Counter[str]) -> Counter[str]:
    """Of texts that name several things, how often each of them is named."""
    parts: Counter[str] = Counter()
    for text, rows in counts.items():
        parts.update(dict.fromkeys(text.split(", "), rows))
    return parts


def _predicted(
    tables: PinnedTables, version: str, predicted: Mapping[str, int], rows: int, classes: Mapping[str, str]
) -> Distribution:
    """The classes in their declared order, all of them, also those that no row is predicted to have."""
    reference = training_histograms(tables, version).get(PREDICTED_CLASS)
    before: dict[str, float] = {}
    if reference is not None:
        levels = zip(reference.bins.levels, reference.counts[1:], strict=False)
        before = {level: number / max(sum(reference.counts), 1) for level, number in levels}
    slots = [
        Slot(
            name,
            shorten(name, 12),
            None if reference is None else before.get(value, 0.0),
            predicted.get(value, 0) / max(rows, 1),
        )
        for value, name in classes.items()
    ]
    nulls = None if reference is None else 0.0
    return Distribution(is_numeric=False, is_centred=True, slots=tuple(slots), reference_nulls=nulls, night_nulls=0.0)


def _distribution(tables: PinnedTables, version: str, counts: ScoreCounts, task: Task) -> Distribution:
    reference = training_histograms(tables, version).get("score")
    if reference is None or reference.bins.kind != "numeric":
        amounts = not task.has_classes and counts.finite > 0
        edges = slot_edges(counts.least, counts.greatest) if amounts else slot_edges(0.0, 1.0)
        return alone(count_between(tables, edges), edges)
    return compare(reference.bins, reference.counts, count_in_bins(tables, reference.bins))
