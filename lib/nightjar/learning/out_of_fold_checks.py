"""What a classifier's out-of-fold scores are used for: thresholds of decisions, and a review of labels."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.clusters import Clusters
from nightjar.learning.data.prices import Prices
from nightjar.learning.fitted_threshold import Threshold, table_of
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.group_thresholds import fit_group_scores
from nightjar.learning.labels.label_review import label_review
from nightjar.learning.search.out_of_fold_scores import out_of_fold_scores
from nightjar.learning.search.problem import Problem
from nightjar.learning.splits.folding import Fold
from nightjar.learning.thresholds import fit_thresholds
from nightjar.models.predictor import Predictor
from nightjar.settings.fairness import Mitigation, MitigationKind
from nightjar.settings.tiers import Tier

log = logging.getLogger("nightjar.train")


@dataclass(frozen=True)
class OutOfFoldChecks:
    """The thresholds and labels of a classifier; both are empty for other tasks, which have no scores here either.

    Attributes:
        thresholds: of the project's tiers, in their order.
        files: file name -> rows for people: labels that they should check, and the thresholds.
        scores: of each row by a fit that has not seen it, NaN where there is none.
    """

    thresholds: tuple[Threshold, ...]
    files: Mapping[str, pa.Table]
    scores: npt.NDArray[np.float64] | None


def out_of_fold_checks(
    problem: Problem,
    winner: Candidate,
    final: Fold,
    final_scores: npt.NDArray[np.float64],
    predictor: Predictor,
    clusters: Clusters,
    tiers: Mapping[str, Tier],
    prices: Prices | None,
    block_days: int,
    mitigation: Mitigation,
) -> OutOfFoldChecks:
    """Score the test rows of the search's folds by the winner's fits, for both; Ray must have been started.

    Args:
        problem: the search's.
        winner: its best candidate.
        final: the final period.
        final_scores: the winner's scores of that period's rows.
        predictor: the final fit: it scores the rows acted on, from which no fit has learned.
        clusters: of those rows.
        tiers: of the project.
        prices: of wrong decisions in the rows; None: there are none.
        block_days: the least number of dates that share what happens.
        mitigation: whether groups have thresholds of their own.

    Raises:
        LearningError: as `out_of_fold_scores`.
    """
    if not problem.task.has_classes:
        return OutOfFoldChecks((), {}, None)
    rows, scores = problem.rows, out_of_fold_scores(problem, winner)
    acted_scores = np.array([]) if rows.acted is None or not tiers else predictor.predict(rows.acted.table)
    by_group = None
    of_folds, of_period, of_acted = scores, final_scores, acted_scores
    if mitigation.kind is MitigationKind.THRESHOLDS and tiers:
        by_group = fit_group_scores(rows, scores, mitigation)
        of_folds = by_group.moved.move(scores, by_group.group)
        of_period = by_group.moved.move(final_scores, by_group.group[final.test])
        of_acted = by_group.moved.move(acted_scores, by_group.of_acted)
    thresholds = fit_thresholds(
        rows, of_folds, final.test, of_period, of_acted, tiers, prices, clusters, block_days, problem.seed, final_scores
    )
    if by_group is not None:
        thresholds = tuple(map(by_group.with_own, thresholds))
    for threshold in thresholds:
        log.info("%s", threshold)
    scores[final.test] = final_scores
    tables = {"thresholds.csv": table_of(thresholds)} if thresholds else {}
    return OutOfFoldChecks(thresholds, {**label_review(rows, scores, problem.seed), **tables}, scores)
