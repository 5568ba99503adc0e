"""What the searches of `scripts/bench search` run on: made-up rows, twelve candidates of boosting, five folds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import KFold

from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitting.fit_sets import FitSet
from nightjar.learning.search.problem import Problem
from nightjar.learning.splits.folding import Fold
from nightjar.models.columns import FeatureColumn
from nightjar.settings.learning import Proposals, Search, Stopping
from nightjar.settings.model import Estimator, Model
from nightjar.settings.split import Split, SplitKind
from nightjar.settings.task import Task

FOLDS, SEED = 5, 0
RUNGS = [1, 2]


@dataclass(frozen=True)
class Boosting:
    """A library's boosting of 100 trees, one thread each.

    Attributes:
        estimator: in our settings.
        plain: the library's class, with what all candidates share.
        trees: name of the parameter that says how many there are.
        grid: parameter -> what is tried.
    """

    estimator: Estimator
    plain: Callable[..., Any]
    trees: str
    grid: Mapping[str, Sequence[float]]

    def points(self) -> list[dict[str, float]]:
        """The grid's combinations, in our order."""
        return [dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())]


RATES, LEAVES = [0.02, 0.05, 0.1, 0.3], [7, 15, 31]
SCIKIT_LEARN = Boosting(
    Estimator.BOOSTING,
    partial(HistGradientBoostingClassifier, early_stopping=False, random_state=SEED, max_iter=100),
    "max_iter",
    {"learning_rate": RATES, "max_leaf_nodes": LEAVES},
)
LIGHTGBM = Boosting(
    Estimator.LIGHTGBM,
    partial(
        LGBMClassifier,
        n_estimators=100,
        n_jobs=1,
        random_state=SEED,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    ),
    "n_estimators",
    {"learning_rate": RATES, "num_leaves": LEAVES},
)


@dataclass(frozen=True, eq=False)
class Case:
    """The same rows and folds for everybody.

    Attributes:
        inputs: (rows, columns).
        label: booleans.
        splits: (train, test) row numbers.
        problem: the same for our search.
    """

    inputs: np.ndarray
    label: np.ndarray
    splits: list[tuple[np.ndarray, np.ndarray]]
    problem: Problem


def made(rows: int, columns: int) -> Case:
    """Rows of two classes, half of the columns informative."""
    inputs, label = make_classification(
        rows, columns, n_informative=columns // 2, n_redundant=0, flip_y=0.1, class_sep=0.6, random_state=SEED
    )
    label = label.astype(bool)
    splits = list(KFold(FOLDS, shuffle=True, random_state=SEED).split(inputs))
    names = [f"x{number}" for number in range(columns)]
    day = np.full(rows, np.datetime64("2024-01-01"))
    instant = day.astype("datetime64[us]")
    table = pa.table({name: inputs[:, number] for number, name in enumerate(names)})
    features = tuple(FeatureColumn(name, "number") for name in names)
    key = pa.table({"row": np.arange(rows), "prediction_time": instant})
    today = day[0].item()
    training = TrainingSet(table, features, key, label, day, instant, instant, instant, today, {}, "bench")
    folds = [Fold(f"fold {number}", today, today, *parts) for number, parts in enumerate(splits, start=1)]
    parts = [FitSet(train, None, (), np.datetime64("NaT")) for train, _ in splits]
    return Case(inputs, label, splits, Problem(training, folds, parts, Task.CLASSIFICATION, SEED))


def search(boosting: Boosting, *, stopping: bool) -> Search:
    """Our settings: a grid of boosting beside the baseline that a search has to have."""
    candidates = {
        "majority": Model(Estimator.MAJORITY, baseline=True),
        "boosting": Model(
            boosting.estimator,
            parameters={boosting.trees: 100},
            space={name: list(values) for name, values in boosting.grid.items()},
        ),
    }
    rungs = Stopping(list(RUNGS)) if stopping else Stopping()
    return Search(candidates, split=Split(SplitKind.RANDOM, folds=FOLDS), proposals=Proposals(), stopping=rungs)


def trivial(count: int) -> Search:
    """A search of so many candidates that cost nothing, no two alike: each leaves other columns out, if any."""
    candidates = {
        f"majority_{number}": Model(Estimator.MAJORITY, drop=[f"x{bit}" for bit in range(6) if number >> bit & 1])
        for number in range(count)
    }
    candidates["baseline"] = Model(Estimator.MAJORITY, baseline=True)
    return Search(candidates, split=Split(SplitKind.RANDOM, folds=FOLDS))
