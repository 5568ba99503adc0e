"""The types in our fitted estimators, each by its exact name."""

from typing import Final

from nightjar.models.serialization.skops_files import type_name
from nightjar.models.stored_types import STORED_ESTIMATORS

_GRADIENT_BOOSTING = "sklearn.ensemble._hist_gradient_boosting"
_KINDS = ("Classifier", "Regressor")
_LOSSES = ("HalfBinomialLoss", "HalfMultinomialLoss", "HalfPoissonLoss", "HalfSquaredError")

ESTIMATOR_TYPES: Final = frozenset(
    {
        *(type_name(one) for one in STORED_ESTIMATORS.values()),
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
        "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis",
        "sklearn.dummy.DummyClassifier",
        "sklearn.dummy.DummyRegressor",
        *(f"sklearn.ensemble._forest.{name}{kind}" for name in ("ExtraTrees", "RandomForest") for kind in _KINDS),
        *(f"{_GRADIENT_BOOSTING}.gradient_boosting.HistGradientBoosting{kind}" for kind in _KINDS),
        *(f"sklearn.ensemble._weight_boosting.AdaBoost{kind}" for kind in _KINDS),
        "sklearn.linear_model._bayes.BayesianRidge",
        "sklearn.linear_model._coordinate_descent.ElasticNet",
        "sklearn.linear_model._coordinate_descent.Lasso",
        "sklearn.linear_model._glm.glm.PoissonRegressor",
        "sklearn.linear_model._huber.HuberRegressor",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.linear_model._ridge.Ridge",
        *(f"sklearn.linear_model._stochastic_gradient.SGD{kind}" for kind in _KINDS),
        "sklearn.naive_bayes.BernoulliNB",
        "sklearn.naive_bayes.GaussianNB",
        "sklearn.neighbors._classification.KNeighborsClassifier",
        "sklearn.neighbors._regression.KNeighborsRegressor",
        *(f"sklearn.tree._classes.DecisionTree{kind}" for kind in _KINDS),
    }
)
"""Every estimator that a predictor may hold."""

ESTIMATOR_PARTS: Final = frozenset(
    {
        *(f"sklearn._loss._loss.Cy{name}" for name in _LOSSES),
        *(f"sklearn._loss.loss.{name}" for name in _LOSSES),
        *(
            f"sklearn._loss.link.{name}"
            for name in ("IdentityLink", "Interval", "LogLink", "LogitLink", "MultinomialLogit")
        ),
        f"{_GRADIENT_BOOSTING}.binning._BinMapper",
        f"{_GRADIENT_BOOSTING}.predictor.TreePredictor",
        "sklearn.linear_model._sgd_fast.ModifiedHuber",
        "sklearn.preprocessing._label.LabelEncoder",
        *(f"sklearn.tree._classes.ExtraTree{kind}" for kind in _KINDS),
        "sklearn.tree._tree.Tree",
    }
)
"""The types inside them, beside plain values and arrays."""
