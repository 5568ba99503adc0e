"""What a classifier's scores of rows that it has not seen are good for: a threshold, and a look at the labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.clusters import Clusters
from nightjar.learning.labels.label_review import label_review
from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.out_of_fold import out_of_fold
from nightjar.learning.search.units import Problem
from nightjar.learning.splits.folding import Fold
from nightjar.learning.thresholds import Threshold, fitted_threshold
from nightjar.settings.costs import Costs
from nightjar.settings.task import Task


@dataclass(frozen=True)
class HeldOut:
    """Of a classifier; of another model there is neither.

    Attributes:
        threshold: None: nothing says what decisions cost.
        labels: file name -> rows whose labels are worth a look.
    """

    threshold: Threshold | None
    labels: Mapping[str, pa.Table]


def held_out(
    problem: Problem,
    winner: Candidate,
    final: Fold,
    final_scores: npt.NDArray[np.float64],
    clusters: Clusters,
    costs: Costs,
) -> HeldOut:
    """Score what the search's folds test on, by the winner's fits; Ray must have been started.

    Args:
        problem: the search's.
        winner: its best candidate.
        final: the final period.
        final_scores: the winner's, of that period's rows.
        clusters: of those rows.
        costs: of wrong decisions.

    Raises:
        LearningError: as `out_of_fold`.
    """
    if problem.task is not Task.CLASSIFICATION:
        return HeldOut(None, {})
    rows, scores = problem.rows, out_of_fold(problem, winner)
    threshold = fitted_threshold(rows, scores, final.test, final_scores, costs, clusters)
    scores[final.test] = final_scores
    return HeldOut(threshold, label_review(rows, scores, problem.seed))
