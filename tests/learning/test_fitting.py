"""A fit on the search's own path knows its training rows, and nothing of any other: to the last bit."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from learning import problems
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_on
from nightjar.learning.fitting.fit_sets import make_fit_set
from nightjar.learning.splits.folding import folds
from nightjar.models.columns import FeatureColumn
from nightjar.settings.columns import Category, Encoding, Missing, Number
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.preparation import (
    Imbalance,
    ImbalanceKind,
    Maker,
    MakerKind,
    Preparation,
    Selection,
    SelectionKind,
)
from nightjar.settings.sampling import TrainingSample
from nightjar.settings.split import Split, SplitKind
from nightjar.settings.task import Task

LOGISTIC, TREE = Model(Estimator.LOGISTIC), Model(Estimator.TREE, parameters={"max_depth": 2})
STACK = Model(Estimator.STACKING, members=["logistic", "tree"])
ENCODED = Preparation(category=Category(encoding=Encoding.TARGET))
MEMBERS = {"logistic": LOGISTIC, "tree": TREE, "encoded": replace(LOGISTIC, preparation=ENCODED)}
CASES = {
    "scaled": LOGISTIC,
    "encoded by the target": replace(LOGISTIC, preparation=ENCODED),
    "selected": replace(LOGISTIC, preparation=Preparation(select=[Selection(SelectionKind.ANOVA, keep=1)])),
    "components": replace(LOGISTIC, preparation=Preparation(components=1)),
    "oversampled": replace(LOGISTIC, imbalance=Imbalance(ImbalanceKind.SMOTE)),
    "calibrated": replace(TREE, calibration=Calibration.PLATT),
    "encoded by the target and calibrated": replace(LOGISTIC, preparation=ENCODED, calibration=Calibration.PLATT),
    "filled by neighbours": replace(LOGISTIC, preparation=Preparation(Number(missing=Missing.KNN))),
    "filled by other columns": replace(LOGISTIC, preparation=Preparation(Number(missing=Missing.ITERATIVE))),
    "clusters": replace(LOGISTIC, preparation=Preparation(make=[Maker(MakerKind.CLUSTER, 3)])),
    "outliers": replace(LOGISTIC, preparation=Preparation(make=[Maker(MakerKind.ISOLATION)])),
    "network": Model(Estimator.NETWORK, parameters={"epochs": 2, "hidden": [4]}),
    "bagged": Model(Estimator.BAGGING, parameters={"count": 2}, members=["encoded"]),
    "voted": Model(Estimator.VOTING, members=["encoded", "tree"]),
    "stacked": STACK,
    "stacked with one encoded by the target": replace(STACK, members=["encoded", "tree"]),
}


def rows_with_a_level(seed=0):
    """And with nulls to fill."""
    rows = problems.rows()
    noise = pa.array(np.where(np.arange(len(rows.label)) % 9 == 0, np.nan, rows.features["noise"]), from_pandas=True)
    rows = replace(rows, features=rows.features.set_column(1, "noise", noise), group=np.arange(len(rows.label)) // 40)
    level = np.random.default_rng(seed).choice(["a", "b", "c"], len(rows.label))
    columns = (*rows.columns, FeatureColumn("level", "category"))
    return replace(rows, features=rows.features.append_column("level", pa.array(level)), columns=columns)


def changed_outside(rows, train):
    """The same training rows among others: numbers a thousand higher, another level, the opposite label."""
    other = np.setdiff1d(np.arange(len(rows.label)), train)
    label = rows.label.copy()
    label[other] = ~label[other]
    columns = {}
    for name in rows.features.column_names:
        values = rows.features[name].to_numpy(zero_copy_only=False).copy()
        values[other] = "z" if name == "level" else values[other] + 1000
        columns[name] = pa.array(values)
    return replace(rows, features=pa.table(columns), label=label)


DEEP = "stacked with one encoded by the target"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *((name, {}) for name in CASES),
        (DEEP, {"sample": TrainingSample(0.5, newest_days=3)}),
        (DEEP, {"split": Split(SplitKind.GROUPED, 3, group=["day"])}),
    ],
)
def test_no_row_outside_the_training_part_changes_a_prediction(name, settings):
    rows, settings = rows_with_a_level(), problems.search(**settings)
    fold = folds(rows, settings.split, problems.FIRST + timedelta(days=18), "UTC", 0)[-1]
    candidate = Candidate(name, CASES[name], {member: MEMBERS[member] for member in CASES[name].members})
    sample = rows.features.take(np.arange(0, len(rows.label), 7))

    def scores(of):
        depth = candidate.model.inner_depth(candidate.members)
        part = make_fit_set(of, fold.train, fold.start, depth, settings, "UTC")
        return fit_on(part, of, candidate, Task.CLASSIFICATION, 0).predict(sample)

    once, again = scores(rows), scores(changed_outside(rows, fold.train))
    assert len(np.unique(once)) > 1
    assert once.tolist() == again.tolist()
