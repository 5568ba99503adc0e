"""A candidate's out-of-fold scores: of all test rows of the search's folds, each by a fit without the row."""

import numpy as np
import numpy.typing as npt
import ray

from nightjar.errors import LearningError
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.search.fold_tasks import FoldTask
from nightjar.learning.search.gpus import gpu_share
from nightjar.learning.search.problem import Problem, fold_scores


def out_of_fold_scores(problem: Problem, candidate: Candidate) -> npt.NDArray[np.float64]:
    """Fit the candidate on every fold once more, in parallel; Ray must have been started.

    A search keeps the measures of its fits, not their scores: fitting one candidate again costs less.

    Returns:
        A score for each row of the problem, of several classes (rows, classes), NaN where no fold tests it. The same
        scores that the search measured; from a GPU, up to rounding.

    Raises:
        LearningError: it cannot be fitted, see `models.estimators.fit`; its process or machine was lost again and
            again; or it needs a GPU and there is none.
    """
    gpu = gpu_share([candidate.model, *candidate.members.values()], ray.cluster_resources())
    shared, task = ray.put(problem), ray.remote(num_cpus=1, num_gpus=gpu)(fold_scores)
    references = [task.remote(shared, FoldTask(candidate, position)) for position in range(len(problem.folds))]
    classes = problem.rows.classes
    all_scores = np.full((len(problem.rows.label), *([len(classes)] if classes else [])), np.nan)
    try:
        for fold, scores in zip(problem.folds, ray.get(references), strict=True):
            all_scores[fold.test] = scores
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise LearningError(
            f"{candidate.name} could not be fitted once more on the folds it was chosen by: {error}. Start the "
            "training again: its search is finished, and no fold of it will be fitted again."
        ) from error
    return all_scores
