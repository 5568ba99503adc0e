"""Our own classes in stored models, under the names by which skops files of ours refer to them.

This module's path and the names in it are permanent, like the names of columns in a table: models that were stored
years ago are opened by them. The classes themselves may move and be renamed (`import NewName as OldName`).
"""

from collections.abc import Mapping
from typing import Final

from nightjar.models.estimators.native_boosting import CodesFirst
from nightjar.models.estimators.pairwise_ranking import PairwiseRanker
from nightjar.models.estimators.rate import ClassRates, ColumnRate
from nightjar.models.estimators.rule import NumberOrPrior, RuleOfThumb
from nightjar.models.preprocessing.derived_columns import ClusterDistances, Isolation, NearestCluster, Principal
from nightjar.models.preprocessing.encoding import Frequencies, Hashed, LevelTexts
from nightjar.models.preprocessing.level_codes import LevelCodes
from nightjar.models.preprocessing.numeric_transformers import Binned, Bounded, Filled, Logged, Resized, Winsorised
from nightjar.models.preprocessing.power import Powered
from nightjar.models.preprocessing.selection import Selected, WithValues
from nightjar.models.preprocessing.target_encoding import TargetMeans, TargetShares
from nightjar.models.preprocessing.text import Terms

STORED_ESTIMATORS: Final[Mapping[str, type]] = {
    "ClassRates": ClassRates,
    "ColumnRate": ColumnRate,
    "NumberOrPrior": NumberOrPrior,
    "PairwiseRanker": PairwiseRanker,
}
"""Stored name -> class, of estimators."""

STORED_TRANSFORMERS: Final[Mapping[str, type]] = {
    "Binned": Binned,
    "Bounded": Bounded,
    "ClusterDistances": ClusterDistances,
    "CodesFirst": CodesFirst,
    "Filled": Filled,
    "Frequencies": Frequencies,
    "Hashed": Hashed,
    "Isolation": Isolation,
    "LevelCodes": LevelCodes,
    "LevelTexts": LevelTexts,
    "Logged": Logged,
    "NearestCluster": NearestCluster,
    "Powered": Powered,
    "Principal": Principal,
    "Resized": Resized,
    "RuleOfThumb": RuleOfThumb,
    "Selected": Selected,
    "TargetMeans": TargetMeans,
    "TargetShares": TargetShares,
    "Terms": Terms,
    "Winsorised": Winsorised,
    "WithValues": WithValues,
}
"""Stored name -> class, of the steps of preparations, and of what boosting does with its inputs."""

FORMER_MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "nightjar.models.encoding": ("Frequencies", "Hashed", "LevelTexts", "TargetMeans"),
    "nightjar.models.makers": ("ClusterDistances", "Isolation", "NearestCluster", "Principal"),
    "nightjar.models.power": ("Powered",),
    "nightjar.models.ranking": ("PairwiseRanker",),
    "nightjar.models.rate": ("ColumnRate",),
    "nightjar.models.rule": ("NumberOrPrior", "RuleOfThumb"),
    "nightjar.models.selection": ("Selected", "WithValues"),
    "nightjar.models.shapes": ("Binned", "Bounded", "Filled", "Logged", "Resized", "Winsorised"),
    "nightjar.models.text": ("Terms",),
}
"""Module -> names, in models that were stored while a class had the name of the module in which it was defined."""
