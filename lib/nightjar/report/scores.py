"""The night's scores, and their distribution compared with the training data's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.histograms import Bins, count
from nightjar.report.formatting import shorten
from nightjar.report.histograms import Distribution, Slot, alone, compare
from nightjar.report.reading import PinnedTables
from nightjar.report.references import training_histograms
from nightjar.settings.label import Label
from nightjar.settings.task import Task
from nightjar.tables.predictions import FALLBACK, PREDICTED, PREDICTED_CLASS


@dataclass(frozen=True)
class Scores:
    """The served scores of one night.

    Attributes:
        rows: how many predictions the champion made.
        versions: model version -> predictions.
        other_roles: role -> predictions beside the champion's.
        warnings: sources that some of the scores need and of which too little arrived.
        unseen: native category -> scores whose level of it the model has not seen in training.
        distribution: None if there are no scores; its slots lack a reference if none is stored.
        predicted: of several classes: the shares of the predicted classes, likewise.
        fallback: who has scored in the champion's place -> predictions.
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

    def version(self) -> str | None:
        """The version that made most of them."""
        return next(iter(self.versions), None)

    def version_has_reference(self) -> bool:
        """Whether the training scores of that version are stored, to draw beside the night's."""
        return self.distribution is not None and self.distribution.reference_nulls is not None


def read_scores(tables: PinnedTables, label: Label) -> Scores | None:
    """The night's scores; None where nothing was scored in any role."""
    # Scores of earlier versions lack these columns.
    optional = {"input_warnings", "unseen_levels", FALLBACK, PREDICTED} & set(tables.columns("scores"))
    scores = tables.read("scores", ["score", "model_version", "role", *optional], tables.of_night())
    if scores is None or not len(scores):
        return None
    served = scores.filter(pc.field("role") == "champion")
    versions = dict(Counter(map(str, served["model_version"].to_pylist())).most_common())
    roles = Counter(map(str, scores["role"].to_pylist()))
    roles.pop("champion", None)
    values = _finite(served["score"])
    warnings = served["input_warnings"].drop_null().unique().to_pylist() if "input_warnings" in optional else []
    unseen = served["unseen_levels"].drop_null().to_pylist() if "unseen_levels" in optional else []
    fallback: list[Any] = served[FALLBACK].drop_null().to_pylist() if FALLBACK in optional else []
    return Scores(
        rows=len(served),
        versions=versions,
        other_roles=dict(sorted(roles.items())),
        mean=float(values.mean()) if len(values) else None,
        least=float(values.min()) if len(values) else None,
        greatest=float(values.max()) if len(values) else None,
        warnings=tuple(sorted({source for text in warnings for source in str(text).split(", ")})),
        fallback=dict(Counter(fallback).most_common()),
        unseen=dict(Counter(name for text in unseen for name in str(text).split(", ")).most_common()),
        distribution=_distribution(tables, next(iter(versions)), served["score"], label.task) if len(served) else None,
        predicted=_predicted(tables, next(iter(versions)), served[PREDICTED], label.classes)
        if len(served) and label.classes and PREDICTED in optional
        else None,
    )


def _predicted(
    tables: PinnedTables, version: str, predicted: "pa.ChunkedArray[pa.StringScalar]", classes: Mapping[str, str]
) -> Distribution:
    """The classes in their declared order, all of them, also those that no row is predicted to have."""
    reference = training_histograms(tables, version).get(PREDICTED_CLASS)
    bins = Bins("categorical", levels=tuple(classes))
    night = count(bins, predicted)[1:-1] / max(len(predicted), 1)
    before: dict[str, float] = {}
    if reference is not None:
        levels = zip(reference.bins.levels, reference.counts[1:], strict=False)
        before = {level: rows / max(sum(reference.counts), 1) for level, rows in levels}
    slots = [
        Slot(name, shorten(name, 12), None if reference is None else before.get(value, 0.0), float(share))
        for (value, name), share in zip(classes.items(), night, strict=True)
    ]
    nulls = None if reference is None else 0.0
    return Distribution(is_numeric=False, is_centred=True, slots=tuple(slots), reference_nulls=nulls, night_nulls=0.0)


def _distribution(
    tables: PinnedTables, version: str, scores: "pa.ChunkedArray[pa.DoubleScalar]", task: Task
) -> Distribution:
    reference = training_histograms(tables, version).get("score")
    if reference is None or reference.bins.kind != "numeric":
        values = _finite(scores)
        amounts = not task.has_classes and len(values) > 0
        return alone(values, float(values.min()), float(values.max())) if amounts else alone(values, 0.0, 1.0)
    return compare(reference.bins, reference.counts, count(reference.bins, scores))


def _finite(scores: "pa.ChunkedArray[pa.DoubleScalar]") -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    values = np.asarray(scores.drop_null().to_numpy(), dtype=np.float64)
    return values[np.isfinite(values)]
