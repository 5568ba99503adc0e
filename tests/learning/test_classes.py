"""Rows of several classes: their numbers, folds, words about rare ones, suspect labels, self-training, leakage."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning import problems
from nightjar.errors import LearningError
from nightjar.evaluation.criteria import Standard
from nightjar.learning.data import targets
from nightjar.learning.data.other_rows import UnlabelledRows
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit_sets import FitSet
from nightjar.learning.labels.label_noise import suspects
from nightjar.learning.labels.label_review import label_review
from nightjar.learning.labels.self_training import Round, self_train
from nightjar.learning.leakage import suspect_features
from nightjar.learning.rare_classes import describe_rare_classes
from nightjar.learning.search.fold_tasks import FoldTask
from nightjar.learning.search.problem import Problem, fit_and_measure, require_measurable
from nightjar.learning.splits.folding import folds
from nightjar.learning.splits.kfold import split_kfold
from nightjar.models.columns import feature_columns
from nightjar.models.examples import Examples
from nightjar.settings.labelling import SelfTraining
from nightjar.settings.model import Estimator, Model
from nightjar.settings.split import Split, SplitKind
from nightjar.settings.task import Metric, Task

CLASSES = ("low", "middle", "high")
PLAIN = problems.rows()
X = PLAIN.features["x"].to_numpy()
ROWS = replace(PLAIN, label=np.digitize(X, [-0.5, 0.5]), classes=CLASSES)
BEFORE = problems.FIRST + timedelta(days=problems.DAYS)
EVERY = np.arange(len(X))


def problem_of(rows):
    splits = folds(rows, problems.SPLIT, BEFORE, "UTC", 0)
    fit_sets = [FitSet(fold.train, None, (), np.datetime64(fold.start, "us")) for fold in splits]
    costs = tuple(map(tuple, (1.0 - np.eye(len(rows.classes))).tolist()))
    return Problem(rows, splits, fit_sets, Task.MULTICLASS, 0, Standard(rows.classes, costs))


def without(label, chosen):
    """The label, where the rows that are not chosen are of no first class."""
    return np.where(chosen, label, np.maximum(label, 1))


def test_labels_are_the_numbers_of_declared_classes():
    rows = pa.table({"row": [1, 2, 3], "label": ["high", "low", "high"]})
    assert targets.labels(rows, ["row"], Task.MULTICLASS, CLASSES).tolist() == [2, 0, 2]
    assert ROWS.stored_labels(np.array([0]))[0] == CLASSES[ROWS.label[0]]


def test_a_stored_label_that_is_no_class_is_named_with_its_row():
    rows = pa.table({"row": [1, 2], "label": ["high", "highest"]})
    message = (
        r"holds highest in 1 of 2 labelled rows \(row=2\): expected one of low, middle, high \(project.label.class"
    )
    with pytest.raises(LearningError, match=message):
        targets.labels(rows, ["row"], Task.MULTICLASS, CLASSES)
    with pytest.raises(LearningError, match="is of type bool: expected a text for a multiclass"):
        targets.labels(pa.table({"label": [True]}), [], Task.MULTICLASS, CLASSES)


def test_stratified_folds_have_as_much_of_each_class():
    four = Split(SplitKind.STRATIFIED, folds=4)
    tested = [np.bincount(ROWS.label[test]) for _, test in split_kfold(ROWS, EVERY, four, "UTC", 0)]
    assert np.ptp(tested, axis=0).max() <= 1
    three = replace(ROWS, label=np.where(EVERY < 3, 0, np.maximum(ROWS.label, 1)))
    with pytest.raises(LearningError, match="3 rows with the label low cannot fill 4 folds"):
        split_kfold(three, EVERY, four, "UTC", 0)


def test_training_rows_of_one_class_are_refused_by_its_value():
    with pytest.raises(LearningError, match="training rows have the label middle"):
        folds(replace(ROWS, label=np.full(len(X), 1)), problems.SPLIT, BEFORE, "UTC", 0)


def test_classes_that_rows_lack_are_told_in_words_and_leave_log_loss_without_a_value():
    """Rows of the first class begin with the test period of the second fold; none is of the fourth one."""
    period = folds(ROWS, problems.SPLIT, BEFORE, "UTC", 0)[1]
    label = without(ROWS.label, ROWS.day >= np.datetime64(period.start))
    rare = problem_of(replace(ROWS, label=label, classes=(*CLASSES, "never")))
    many = np.count_nonzero(rare.rows.label[period.test] == 0)

    first, second = describe_rare_classes(rare.rows, rare.folds)

    assert first == "no labelled row is of the class never: its probability is 0 until there are some"
    assert second.startswith(
        f"fold 2 ({period.start} to {period.end}): {many} of 80 test rows are of the class low, as"
    )
    with pytest.raises(LearningError, match="log_loss is undefined on the 80 test rows of fold 2"):
        require_measurable(rare, Metric.LOG_LOSS)
    require_measurable(problem_of(ROWS), Metric.LOG_LOSS)


@pytest.mark.parametrize("chosen", [True, False], ids=["every class", "a class that is new"])
def test_a_fold_is_measured_with_the_classes_that_its_training_rows_have(chosen):
    problem = problem_of(replace(ROWS, label=without(ROWS.label, chosen | (ROWS.day > ROWS.day[0]))))
    model = Model(Estimator.BOOSTING, parameters={"max_iter": 5, "min_samples_leaf": 5})
    result = fit_and_measure(problem, FoldTask(Candidate("boosting", model), 0))
    assert result.failure is None
    assert result.measures["log_loss"] < np.log(3)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any)), min_size=2)
)
def test_suspects_are_those_of_the_definition(drawn):
    """Northcutt et al.: the observed class below its threshold, another one at or above its own."""
    label = [observed for observed, _ in drawn]
    probability = [[part / sum(parts) for part in parts] for _, parts in drawn]
    if len(set(label)) < 2:
        return
    threshold = {
        code: np.mean([row[code] for observed, row in zip(label, probability, strict=True) if observed == code])
        for code in set(label)
    }
    expected = {}
    for number, (observed, row) in enumerate(zip(label, probability, strict=True)):
        likely = [code for code in threshold if code != observed and row[code] >= threshold[code]]
        if row[observed] < threshold[observed] and likely:
            best = max(likely, key=lambda code: (row[code], -code))
            expected[number] = (CLASSES[observed], CLASSES[best], pytest.approx(row[best] - row[observed]))

    suspected = suspects(label, probability, CLASSES).to_pylist()

    assert {one["row"]: (one["label"], one["suggested"], one["margin"]) for one in suspected} == expected


def test_a_review_names_the_suggested_class():
    scores = np.full((len(X), 3), 0.125)
    scores[EVERY, ROWS.label] = 0.75
    scores[:2] = np.nan
    wrong = replace(ROWS, label=np.where(EVERY == 7, (ROWS.label + 1) % 3, ROWS.label))
    (one,) = label_review(wrong, scores, 0)["label_suspects.csv"].to_pylist()
    assert (one["row"], one["label"], one["suggested"]) == (7, CLASSES[wrong.label[7]], CLASSES[ROWS.label[7]])


def test_the_surest_class_joins():
    """A model that is sure of whole numbers: 0 and 2 join, a half is of no class."""

    @dataclass(frozen=True)
    class Nearest:
        def predict(self, table):
            distance = np.abs(table["x"].to_numpy()[:, None] - np.arange(3))
            return np.exp(-9 * distance) / np.exp(-9 * distance).sum(axis=1, keepdims=True)

    examples = Examples(pa.table({"x": [0.0, 1.0]}), np.array([0, 1]), classes=CLASSES)
    time = np.array(["2024-04-01", "2024-04-02"], "datetime64[us]")
    pool = UnlabelledRows(pa.table({"x": [2.0, 0.5, 0.0]}), np.array(["2024-04-03"] * 3, "datetime64[us]"))

    result = self_train(lambda _: Nearest(), examples, time, pool, np.datetime64("2024-05-01"), SelfTraining(0.9))

    assert result.rounds == (Round({"low": 1, "high": 1}, 1),)
    assert result.examples.label.tolist() == [0, 1, 2, 0]
    assert result.examples.classes == CLASSES


def test_a_column_that_tells_one_class_from_all_others_is_named():
    planted = pa.array(np.where(ROWS.label == 1, "middle", "another"))
    features = ROWS.features.append_column("planted", planted)
    rows = replace(ROWS, features=features, columns=feature_columns(features.schema, features.column_names))
    assert set(suspect_features(rows, EVERY)) == {"planted", "x"}
    assert set(suspect_features(replace(rows, label=np.random.default_rng(0).permutation(rows.label)), EVERY)) == set()
