"""Training rows with everything that real ones have: nulls, an empty column, rare and missing categories."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples, InnerSplit
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.preparation import Imbalance, ImbalanceKind, Preparation
from nightjar.settings.task import Task

FEATURES = (
    FeatureColumn("hour", "number"),
    FeatureColumn("delay", "number"),
    FeatureColumn("holiday", "number"),
    FeatureColumn("empty", "number"),
    FeatureColumn("carrier", "category"),
    FeatureColumn("nothing", "category"),
)

SEVERAL = ("early", "never", "usual", "late")
"""Classes, of which rows have all but one."""
MODELS = {
    Estimator.MAJORITY: Model(Estimator.MAJORITY),
    Estimator.RULE: Model(Estimator.RULE, parameters={"expression": "delay > 20 or carrier == 'UA' and hour >= 12"}),
    Estimator.RATE: Model(Estimator.RATE, parameters={"column": "carrier"}),
    Estimator.LOGISTIC: Model(Estimator.LOGISTIC, parameters={"C": 0.5}),
    Estimator.TREE: Model(Estimator.TREE, parameters={"max_depth": 4, "min_samples_leaf": 20}),
    Estimator.FOREST: Model(Estimator.FOREST, parameters={"n_estimators": 5, "min_samples_leaf": 20}),
    Estimator.BOOSTING: Model(Estimator.BOOSTING, parameters={"max_iter": 10, "min_samples_leaf": 5}),
    Estimator.LIGHTGBM: Model(Estimator.LIGHTGBM, parameters={"n_estimators": 10, "min_child_samples": 5}),
    Estimator.XGBOOST: Model(Estimator.XGBOOST, parameters={"n_estimators": 10, "max_depth": 3}),
    Estimator.NEIGHBOURS: Model(Estimator.NEIGHBOURS, parameters={"n_neighbors": 25}),
    Estimator.NETWORK: Model(
        Estimator.NETWORK, parameters={"hidden": [8, 4], "epochs": 4, "batch_size": 64, "learning_rate": 0.02}
    ),
}
"""One classification model of each of our own estimators."""

MEMBERS = {
    "tree": Model(Estimator.TREE, parameters={"max_depth": 3}, drop=["hour"]),
    "boosting": Model(Estimator.BOOSTING, parameters={"max_iter": 5, "min_samples_leaf": 5}),
}
"""Of the ensembles among the candidates; they do every task."""

SKLEARN_PARAMETERS = {
    "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": {"reg_param": 0.1},
    "sklearn.ensemble.AdaBoostClassifier": {"n_estimators": 5},
    "sklearn.ensemble.AdaBoostRegressor": {"n_estimators": 5},
    "sklearn.ensemble.ExtraTreesClassifier": {"n_estimators": 5, "max_depth": 4},
    "sklearn.ensemble.ExtraTreesRegressor": {"n_estimators": 5, "max_depth": 4},
    "sklearn.linear_model.BayesianRidge": {},
    "sklearn.linear_model.HuberRegressor": {"max_iter": 1000},
    "sklearn.linear_model.PoissonRegressor": {"max_iter": 1000},
    "sklearn.linear_model.SGDClassifier": {"loss": "modified_huber"},
    "sklearn.linear_model.SGDRegressor": {},
    "sklearn.naive_bayes.BernoulliNB": {},
    "sklearn.naive_bayes.GaussianNB": {"var_smoothing": 0.1},
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": {},
}

BARE = {"hidden": [4], "embedding": 0, "epochs": 3, "batch_size": 64, "learning_rate": 0.02}
CLASSIFIED = {
    **{estimator.value: model for estimator, model in MODELS.items()},
    "rule of a number": Model(Estimator.RULE, parameters={"expression": "0.3 + delay / 100"}),
    "lasso logistic": Model(Estimator.LOGISTIC, parameters={"C": 0.5, "l1_ratio": 1.0}),
    "elastic net logistic": Model(Estimator.LOGISTIC, parameters={"C": 0.5, "l1_ratio": 0.5}),
    "network without embeddings": Model(Estimator.NETWORK, parameters=BARE),
    "stopped lightgbm": Model(Estimator.LIGHTGBM, parameters={"n_estimators": 40, "early_stopping_rounds": 5}),
    "native boosting": replace(MODELS[Estimator.BOOSTING], preparation=Preparation(category=Category(Encoding.NATIVE))),
    "native xgboost": replace(MODELS[Estimator.XGBOOST], preparation=Preparation(category=Category(Encoding.NATIVE))),
    "stopped xgboost": Model(Estimator.XGBOOST, parameters={"n_estimators": 40, "early_stopping_rounds": 5}),
    "over-sampled": Model(Estimator.TREE, parameters={"max_depth": 4}, imbalance=Imbalance(ImbalanceKind.OVER)),
    "platt": Model(Estimator.FOREST, parameters={"n_estimators": 3}, calibration=Calibration.PLATT),
    "isotonic": Model(Estimator.BOOSTING, parameters={"max_iter": 5}, calibration=Calibration.ISOTONIC),
}
AMOUNTS = {
    "mean": Model(Estimator.MEAN),
    "ridge": Model(Estimator.LINEAR),
    "lasso": Model(Estimator.LINEAR, parameters={"penalty": "lasso", "alpha": 0.1}),
    "elastic net": Model(Estimator.LINEAR, parameters={"penalty": "elastic_net", "alpha": 0.1, "l1_ratio": 0.3}),
    **{one.value: MODELS[one] for one in MODELS if one not in (Estimator.MAJORITY, Estimator.LOGISTIC)},
}
ENSEMBLES = {
    "bagging": Model(Estimator.BAGGING, parameters={"count": 3}, members=["tree"]),
    "voting": Model(Estimator.VOTING, parameters={"weights": [1, 2]}, members=["tree", "boosting"]),
    "stacking": Model(Estimator.STACKING, members=["tree", "boosting"]),
}


def sklearn_models(task: Task) -> dict[str, Model]:
    """A model of each class on the allowlist of scikit-learn, for the task."""
    kinds = ("Classifier", "NB", "Analysis") if task is Task.CLASSIFICATION else ("Regressor", "Ridge")
    return {
        name: Model(Estimator.SKLEARN, class_name=name, parameters=parameters)
        for name, parameters in SKLEARN_PARAMETERS.items()
        if name.endswith(kinds)
    }


CANDIDATES: dict[str, tuple[Task, Model]] = {
    **{name: (Task.CLASSIFICATION, one) for name, one in {**CLASSIFIED, **sklearn_models(Task.CLASSIFICATION)}.items()},
    **{
        f"{name} of amounts": (Task.REGRESSION, one)
        for name, one in {**AMOUNTS, **sklearn_models(Task.REGRESSION)}.items()
    },
    **{f"{name} for {task.value}": (task, one) for task in Task for name, one in ENSEMBLES.items()},
    **{
        f"{name} for several classes": (Task.MULTICLASS, CLASSIFIED[name])
        for name in (
            "rate",
            "logistic",
            "boosting",
            "network",
            "isotonic",
            "stopped lightgbm",
            "native boosting",
            "native xgboost",
        )
    },
    "pairs": (Task.RANKING, MODELS[Estimator.LOGISTIC]),
    "boosting of relevance": (Task.RANKING, MODELS[Estimator.BOOSTING]),
}
"""Every estimator we have, for every task that makes a difference to it."""


def training_rows(rows: int = 600, seed: int = 0) -> tuple[pa.Table, np.ndarray]:
    """Later hours, longer delays and carrier UA are late more often."""
    table, odds = _table(rows, seed)
    return table, np.random.default_rng([seed, 1]).random(rows) < 1 / (1 + np.exp(-odds))


def examples(task: Task = Task.CLASSIFICATION, rows: int = 600, seed: int = 0, **changes: object) -> Examples:
    """Training rows with labels of the task, lists of six and inner splits in the order of rows, two deep."""
    table, late = training_rows(rows, seed)
    odds = _table(rows, seed)[1]
    label = {
        Task.CLASSIFICATION: late,
        Task.REGRESSION: np.exp(odds / 2) + late,
        Task.RANKING: np.clip(np.round(odds + late), 0, 3),
        Task.MULTICLASS: np.array([0, 2, 3])[np.digitize(odds + late, [-1.2, 0.2])],
    }[task]
    classes = SEVERAL if task is Task.MULTICLASS else ()
    return Examples(
        **{
            "table": table,
            "label": label,
            "query": np.arange(rows) // 6,
            "inner": inner_splits(rows, 2),
            "classes": classes,
        }
        | changes
    )


def inner_splits(rows: int, depth: int) -> list[InnerSplit]:
    """Two that walk forward; the first third is in no test part."""
    third = np.arange(rows) * 3 // rows
    trained = [(np.flatnonzero(third < part), np.flatnonzero(third == part)) for part in (1, 2)]
    return [
        InnerSplit(train, test, inner_splits(len(train), depth - 1) if depth > 1 else ()) for train, test in trained
    ]


def _table(rows: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    random = np.random.default_rng(seed)
    hour, delay = random.integers(0, 24, rows), random.normal(0, 30, rows)
    carrier = random.choice(np.array(["AA", "DL", "UA", None], dtype=object), rows, p=[0.4, 0.3, 0.2, 0.1])
    carrier[:2] = "HA"
    table = pa.table(
        {
            "note": pa.array(["not a feature"] * rows),
            "hour": pa.array(hour, pa.int32()),
            "delay": pa.array(np.where(random.random(rows) < 0.2, np.nan, delay), from_pandas=True),
            "holiday": pa.array(random.random(rows) < 0.1),
            "empty": pa.nulls(rows, pa.float64()),
            "carrier": pa.array(carrier),
            "nothing": pa.nulls(rows, pa.string()),
        }
    )
    return table, -2 + hour / 12 + delay / 30 + (carrier == "UA")
