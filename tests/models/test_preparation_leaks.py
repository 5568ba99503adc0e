"""Leaks through the preparation: each is planted on rows that say nothing, seen to pay, and not there in ours."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import InnerSplit
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.preparation import preparation
from nightjar.models.preprocessing.resampling import resample
from nightjar.models.preprocessing.synthetic_rows import interpolate
from nightjar.models.preprocessing.target_encoding import TargetMeans
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.preparation import Imbalance, ImbalanceKind, Preparation, Selection, SelectionKind
from nightjar.settings.task import Task

ROWS = 600
TRAIN, TEST = np.arange(400), np.arange(400, ROWS)
INNER = [InnerSplit(np.arange(at), np.arange(at, at + 100)) for at in (100, 200, 300)]
NOISE = np.random.default_rng(0).random(ROWS) < 0.5
"""Labels that nothing tells anything about: an honest AUC is about one half."""


def auc(train, test):
    """Of test rows, by a model fitted on training rows."""
    model = LogisticRegression().fit(train, NOISE[TRAIN])
    return roc_auc_score(NOISE[TEST], model.predict_proba(test)[:, 1])


def random():
    return np.random.default_rng(1)


def levels():
    """200 levels of three rows each."""
    return pd.DataFrame({"level": random().permutation(np.arange(ROWS) % 200).astype(str).astype(object)})


def test_target_encoding_outside_the_fold_scores_on_noise_and_ours_does_not():
    """Encoded with the test rows' own labels, noise predicts itself."""
    frame = levels()
    settings = Preparation(category=Category(Encoding.TARGET, pseudo_count=1.0))
    features = [FeatureColumn("level", "category")]

    leaked = TargetMeans(pseudo_count=1.0).fit(frame, NOISE).transform(frame)
    ours = preparation(features, settings, InputRequirement.COMPLETE, task=Task.CLASSIFICATION, seed=0, inner=INNER)
    train = ours.fit_transform(frame.iloc[TRAIN], NOISE[TRAIN])

    assert auc(leaked[TRAIN], leaked[TEST]) > 0.75
    assert abs(auc(train, ours.transform(frame.iloc[TEST])) - 0.5) < 0.08


def test_training_rows_are_not_encoded_by_their_own_label():
    """Within the training part too: encoded in sample, a level looks far better than it is, and is overrated."""
    frame = levels()
    in_sample = TargetMeans(pseudo_count=1.0).fit(frame, NOISE).transform(frame)[:, 0]

    ours = TargetMeans(pseudo_count=1.0, inner=INNER).fit_transform(frame, NOISE)[:, 0]

    assert roc_auc_score(NOISE, in_sample) > 0.7
    assert abs(roc_auc_score(NOISE[100:400], ours[100:400]) - 0.5) < 0.08


def test_scaling_knows_training_rows_only():
    """Test rows a thousand higher: fitted on all rows, the training rows' mean would not be 0."""
    frame = pd.DataFrame({"delay": np.where(np.arange(ROWS) < 400, random().normal(5, 2, ROWS), 1000.0)})
    pipeline = preparation(
        [FeatureColumn("delay", "number")], Preparation(), InputRequirement.COMPLETE, task=Task.CLASSIFICATION, seed=0
    )

    leaked = pipeline.fit_transform(frame, NOISE)[TRAIN]
    train = pipeline.fit_transform(frame.iloc[TRAIN], NOISE[TRAIN])
    test = pipeline.transform(frame.iloc[TEST])

    assert abs(leaked.mean()) > 0.4
    own = frame["delay"].iloc[TRAIN]
    assert train.mean() == pytest.approx(0)
    np.testing.assert_allclose(test, (1000 - own.mean()) / own.std(ddof=0))


def test_selection_outside_the_fold_scores_on_noise_and_ours_does_not():
    """Of 2,000 columns of noise, the ten that fit all labels best also fit the test rows' labels."""
    names = [f"n{at}" for at in range(2000)]
    frame = pd.DataFrame(random().normal(size=(ROWS, 2000)), columns=names)
    settings = Preparation(select=[Selection(SelectionKind.ANOVA, keep=10)])
    features = [FeatureColumn(name, "number") for name in names]
    pipeline = preparation(features, settings, InputRequirement.COMPLETE, task=Task.CLASSIFICATION, seed=0)

    leaked = pipeline.fit_transform(frame, NOISE)
    leaked_auc = auc(leaked[TRAIN], leaked[TEST])
    train = pipeline.fit_transform(frame.iloc[TRAIN], NOISE[TRAIN])

    assert leaked_auc > 0.6
    assert abs(auc(train, pipeline.transform(frame.iloc[TEST])) - 0.5) < 0.08


def as_they_are(inputs):
    """For rows that no preparation has changed."""
    return lambda where: interpolate(pd.DataFrame(inputs), where).to_numpy()


def test_smote_before_the_split_scores_on_noise_and_ours_does_not():
    """Rows made from all rows, then split: test rows that were made lie between training rows of their class."""
    inputs, rare = random().normal(size=(ROWS, 5)), np.arange(ROWS) % 7 == 0
    smote = Imbalance(ImbalanceKind.SMOTE)

    def nearest_auc(train, train_label, test, test_label):
        model = KNeighborsClassifier(5).fit(train, train_label)
        return roc_auc_score(test_label, model.predict_proba(test)[:, 1])

    more, labels, _ = resample(inputs, rare, None, smote, 0, as_they_are(inputs))
    order = np.random.default_rng(1).permutation(len(more))
    train_rows, test_rows = order[len(order) // 3 :], order[: len(order) // 3]
    train, train_label, _ = resample(inputs[TRAIN], rare[TRAIN], None, smote, 0, as_they_are(inputs[TRAIN]))

    assert nearest_auc(more[train_rows], labels[train_rows], more[test_rows], labels[test_rows]) > 0.8
    assert abs(nearest_auc(train, train_label, inputs[TEST], rare[TEST]) - 0.5) < 0.1
