"""The night's scores, and their distribution compared with the training data's."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.histograms import count
from nightjar.report.histograms import Distribution, alone, compare
from nightjar.report.reading import PinnedTables
from nightjar.report.references import training_histograms
from nightjar.settings.task import Task


@dataclass(frozen=True)
class Scores:
    """The served scores of one night.

    Attributes:
        rows: how many predictions the champion made.
        versions: model version -> predictions.
        other_roles: role -> predictions that are not served.
        warnings: sources that some of the scores need and of which too little arrived.
        unseen: native category -> scores whose level of it the model has not seen in training.
        distribution: None if there are no scores; its slots lack a reference if none is stored.
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

    def version(self) -> str | None:
        """The version that made most of them."""
        return next(iter(self.versions), None)

    def version_has_reference(self) -> bool:
        """Whether the training scores of that version are stored, to draw beside the night's."""
        return self.distribution is not None and self.distribution.reference_nulls is not None


def read_scores(tables: PinnedTables, task: Task) -> Scores | None:
    """The night's scores; None where nothing was scored in any role."""
    # Scores of earlier versions lack these columns.
    optional = {"input_warnings", "unseen_levels"} & set(tables.columns("scores"))
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
    return Scores(
        rows=len(served),
        versions=versions,
        other_roles=dict(sorted(roles.items())),
        mean=float(values.mean()) if len(values) else None,
        least=float(values.min()) if len(values) else None,
        greatest=float(values.max()) if len(values) else None,
        warnings=tuple(sorted({source for text in warnings for source in str(text).split(", ")})),
        unseen=dict(Counter(name for text in unseen for name in str(text).split(", ")).most_common()),
        distribution=_distribution(tables, next(iter(versions)), served["score"], task) if len(served) else None,
    )


def _distribution(
    tables: PinnedTables, version: str, scores: "pa.ChunkedArray[pa.DoubleScalar]", task: Task
) -> Distribution:
    reference = training_histograms(tables, version).get("score")
    if reference is None or reference.bins.kind != "numeric":
        values = _finite(scores)
        amounts = task is not Task.CLASSIFICATION and len(values) > 0
        return alone(values, float(values.min()), float(values.max())) if amounts else alone(values, 0.0, 1.0)
    return compare(reference.bins, reference.counts, count(reference.bins, scores))


def _finite(scores: "pa.ChunkedArray[pa.DoubleScalar]") -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    values = np.asarray(scores.drop_null().to_numpy(), dtype=np.float64)
    return values[np.isfinite(values)]
