"""Models of several classes: probabilities in declared order, of every estimator that can, stored and opened again."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rows import CLASSIFIED, FEATURES, MEMBERS, SEVERAL, examples, sklearn_models
from nightjar.errors import LearningError, ModelError
from nightjar.evaluation.multiclass import log_loss
from nightjar.models.ensembles.calibration import Isotonic, PerClass, Platt, fit_per_class
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.preprocessing.resampling import resample
from nightjar.models.serialization.predictor_files import dump, open_predictor
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.preparation import Imbalance, ImbalanceKind, Preparation
from nightjar.settings.task import Task

BOOSTERS = ("lightgbm", "xgboost")
ENCODED = Model(Estimator.LOGISTIC, preparation=Preparation(category=Category(encoding=Encoding.TARGET)))
OTHERS = {
    name: model
    for name, model in ({"target encoding": ENCODED} | CLASSIFIED | sklearn_models(Task.CLASSIFICATION)).items()
    if name != "rule of a number" and not name.endswith(BOOSTERS)
}
ROWS = examples(Task.MULTICLASS)


def fit_classes(model, rows=ROWS, **changes):
    return fit(model, replace(rows, **changes), features=FEATURES, task=Task.MULTICLASS, seed=0, members=MEMBERS)


@pytest.mark.parametrize("name", OTHERS)
def test_probabilities_are_in_declared_order_and_the_same_once_stored(name):
    """A class that no training row has, the second one, has probability 0."""
    predictor = fit_classes(OTHERS[name])
    structure, files = dump(predictor)

    scores = open_predictor(json.loads(json.dumps(structure)), files, "it").predict(ROWS.table)

    assert (predictor.classes, predictor.seen) == (SEVERAL, (0, 2, 3))
    assert np.array_equal(scores, predictor.predict(ROWS.table))
    assert not scores[:, 1].any()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-9)
    if name not in ("over-sampled", "sklearn.ensemble.AdaBoostClassifier", "sklearn.linear_model.SGDClassifier"):
        shares = np.bincount(ROWS.label, minlength=4) / len(ROWS.label)
        np.testing.assert_allclose(scores.mean(axis=0), shares, atol=0.1)


@pytest.mark.parametrize("estimator", ["logistic", "boosting", "network"])
def test_what_drives_a_class_raises_its_probability(estimator):
    later = examples(Task.MULTICLASS, seed=1)
    scores = fit_classes(CLASSIFIED[estimator]).predict(later.table)
    for code in (0, 2, 3):
        of_class = later.label == code
        assert scores[of_class, code].mean() > scores[~of_class, code].mean() + 0.05


def test_two_of_the_classes_are_enough_to_fit_and_one_is_not():
    model = CLASSIFIED["boosting"]
    two = fit_classes(model, label=np.where(ROWS.label == 3, 3, 0))
    binary = fit(model, replace(ROWS, label=ROWS.label == 3, classes=()), features=FEATURES, seed=0)

    assert two.seen == (0, 3)
    np.testing.assert_allclose(two.predict(ROWS.table)[:, 3], binary.predict(ROWS.table), atol=1e-12)
    with pytest.raises(LearningError, match="All 600 training rows have the label usual: there is nothing to learn"):
        fit_classes(model, label=np.full(600, 2))
    with pytest.raises(LearningError, match="numbers of the 4 classes, from 0: found"):
        fit_classes(model, label=ROWS.label + 1)
    with pytest.raises(LearningError, match="All rows with the label late have weight 0"):
        fit_classes(model, weight=(ROWS.label < 3).astype(float))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (CLASSIFIED["rule of a number"], "expected yes and no or texts, of several classes"),
        (Model(Estimator.MEAN), "mean is for regression, ranking, and the task is multiclass"),
        (
            Model(Estimator.LOGISTIC, parameters={"class_weight": {True: 2}}),
            "expected balanced (or use imbalance: class",
        ),
    ],
)
def test_what_has_no_meaning_for_several_classes_is_refused(model, message):
    with pytest.raises(LearningError) as refused:
        fit_classes(model)
    assert message in str(refused.value)


@given(
    scores=st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any), min_size=1, max_size=5),
    knots=st.lists(st.sampled_from([0.0, 0.2, 1.0]), min_size=3, max_size=3),
)
def test_calibrated_classes_are_divided_by_their_sum_and_a_row_of_zeros_stays(scores, knots):
    """The oracle: row by row, in plain Python."""
    probabilities = np.array([np.array(row) / sum(row) for row in scores])
    curves = tuple(Isotonic((0.3, 0.6), (0.0, knot)) for knot in knots[:2])

    calibrated = PerClass((*curves, Isotonic((0.5,), (knots[2],))))(probabilities)

    for row, actual in zip(probabilities.tolist(), calibrated.tolist(), strict=True):
        ramp = [min(max((score - 0.3) / 0.3, 0), 1) * knot for score, knot in zip(row[:2], knots[:2], strict=True)]
        expected = [*ramp, knots[2]]
        total = sum(expected)
        assert actual == pytest.approx([one / total for one in expected] if total > 0 else row)


@pytest.mark.parametrize("kind", [Calibration.PLATT, Calibration.ISOTONIC], ids=lambda kind: kind.word)
def test_each_class_is_calibrated_against_all_others(kind):
    """Of the last class no row tells anything, and its scores stay before the sum is made 1."""
    random = np.random.default_rng(0)
    truth = random.dirichlet([2, 2, 2], size=4000)
    label = (random.random((4000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    squeezed = np.column_stack([truth**2 / (truth**2).sum(axis=1, keepdims=True), np.zeros(4000)])

    calibrated = fit_per_class(kind, squeezed, label, None)

    assert calibrated.curves[3] is None
    assert isinstance(calibrated.curves[0], Platt if kind is Calibration.PLATT else Isotonic)
    assert np.abs(calibrated(squeezed)[:, :3] - truth).mean() < 0.7 * np.abs(squeezed[:, :3] - truth).mean()
    assert not calibrated(squeezed)[:, 3].any()


@pytest.mark.parametrize("kind", [Calibration.PLATT, Calibration.ISOTONIC], ids=lambda kind: kind.word)
def test_a_class_is_not_calibrated_on_folds_that_could_not_know_it(kind):
    """They have no score of it, whatever the rows are."""
    random = np.random.default_rng(1)
    truth = random.dirichlet([2, 2, 2], size=1000)
    label = (random.random((1000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    weight = random.uniform(1, 2, 2000)
    earlier = truth * [1, 1, np.nan] / truth[:, :2].sum(axis=1, keepdims=True)

    both = fit_per_class(kind, np.vstack([earlier, truth]), np.tile(label, 2), weight)

    assert both.curves[2] == fit_per_class(kind, truth, label, weight[1000:]).curves[2]


@pytest.mark.parametrize(
    "kind", [kind for kind in ImbalanceKind if kind is not ImbalanceKind.NONE], ids=lambda one: one.word
)
def test_every_class_comes_as_near_to_the_ratio_as_asked(kind):
    label = np.repeat([0, 1, 2], [60, 30, 10])
    inputs = np.random.default_rng(0).normal(size=(100, 2))

    _, labels, weights = resample(
        inputs, label, None, Imbalance(kind, 0.5), 0, lambda pairs: (inputs[pairs.base] + inputs[pairs.neighbour]) / 2
    )

    if kind is ImbalanceKind.CLASS_WEIGHT:
        totals = np.bincount(labels, weights)
        np.testing.assert_allclose(totals / totals.max(), [1, 0.5, 0.5])
        assert totals.sum() == pytest.approx(100)
    else:
        assert np.bincount(labels).tolist() == ([20, 20, 10] if kind is ImbalanceKind.UNDER else [60, 30, 30])


STRUCTURES = {
    "a class too many": lambda it: it["classes"].append("another"),
    "a class twice": lambda it: it["classes"].__setitem__(1, "early"),
    "a class that it has not seen": lambda it: it["seen"].append(1),
    "a number beyond the classes": lambda it: it["seen"].__setitem__(2, 4),
    "seen in another order": lambda it: it["seen"].reverse(),
    "no class at all": lambda it: it.update(classes=[], seen=[]),
    "one class": lambda it: it.update(classes=["early"], seen=[0]),
    "a curve less": lambda it: it["calibration"]["per_class"].pop(),
    "a curve of two classes": lambda it: it.update(calibration={"platt": {"slope": 1.0, "intercept": 0.0}}),
}


@pytest.fixture(scope="module")
def calibrated():
    return dump(fit_classes(OTHERS["platt"]))


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_of_other_classes_is_refused(calibrated, name):
    structure, files = json.loads(json.dumps(calibrated[0])), calibrated[1]
    STRUCTURES[name](structure)
    with pytest.raises(ModelError, match="it: "):
        open_predictor(structure, files, "it")


@pytest.mark.parametrize("change", ["intercepts", "weights", "members"])
def test_a_blend_of_other_classes_is_refused(change):
    structure, files = dump(fit_classes(Model(Estimator.STACKING, members=["tree", "boosting"])))
    if change == "members":
        structure["members"][0] |= {"classes": ["a", "b", "c", "d"]}
    else:
        structure["estimator"]["class_blend"][change] = structure["estimator"]["class_blend"][change][:-1]
    with pytest.raises(ModelError, match="gives no probabilities of 4 classes"):
        open_predictor(structure, files, "it")


class Damaged:
    """Probabilities that are none."""

    def __init__(self, row):
        self.row = row

    def predict_proba(self, inputs):
        return np.tile(self.row, (len(inputs), 1))


@pytest.mark.parametrize("row", [[0.5, 0.4, 0.2], [1.2, -0.2, 0.0], [0.0, 0.0, 0.0], [np.nan, 0.5, 0.5]])
def test_probabilities_that_do_not_sum_to_one_are_refused(row):
    predictor = replace(fit_classes(Model(Estimator.MAJORITY)), estimator=Damaged(row))
    with pytest.raises(ModelError, match="row 0"):
        predictor.predict(pa.table({"x": [1, 2]}))


def test_a_bagging_knows_each_class_that_any_member_knows():
    """One row in six hundred is of the first class: bootstraps lack it."""
    rare = np.where(np.arange(600) == 300, 0, np.maximum(ROWS.label, 2))
    bagging = fit_classes(Model(Estimator.BAGGING, parameters={"count": 4}, members=["tree"]), label=rare)
    assert {member.seen for member in bagging.members} == {(2, 3), (0, 2, 3)}
    np.testing.assert_allclose(bagging.predict(ROWS.table).sum(axis=1), 1)
    assert (bagging.predict(ROWS.table)[:, [0, 2, 3]] > 0).all()
    assert not bagging.predict(ROWS.table)[:, 1].any()


def test_a_stacking_takes_a_class_that_no_out_of_fold_row_has_from_its_members():
    tested = np.unique(np.concatenate([split.test for split in ROWS.inner]))
    label = np.where(np.isin(np.arange(600), tested), np.maximum(ROWS.label, 2), ROWS.label)

    stack = fit_classes(Model(Estimator.STACKING, members=["tree", "boosting"]), label=label)
    scores, members = stack.predict(ROWS.table), [one.predict(ROWS.table) for one in stack.members]

    assert (stack.seen, stack.members[0].seen) == ((2, 3), (0, 2, 3))
    np.testing.assert_allclose(scores[:, 0], np.mean(members, axis=0)[:, 0], rtol=1e-12)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-12)
    assert not scores[:, 1].any()


@pytest.mark.parametrize("calibration", Calibration, ids=lambda kind: kind.word)
def test_a_class_that_training_rows_had_is_never_impossible(calibration):
    """Leaves of one class: of these rows the others have no share, and yet the model has seen them."""
    scores = fit_classes(Model(Estimator.TREE, calibration=calibration)).predict(ROWS.table)
    assert (scores[:, [0, 2, 3]] > 0).all()
    assert not scores[:, 1].any()
    early = scores[ROWS.label == 0]
    assert isinstance(log_loss(np.full(len(early), 3), early), float)


def test_rates_of_classes_are_what_one_would_reckon_by_hand():
    table = pa.table({"carrier": ["UA"] * 10 + ["AA"] * 10})
    rows = Examples(table, np.array([0] * 10 + [2] * 10), classes=("a", "b", "c"))
    rate = fit(
        Model(Estimator.RATE, parameters={"column": "carrier"}),
        rows,
        features=FEATURES[4:5],
        task=Task.MULTICLASS,
        seed=0,
    )
    assert rate.predict(pa.table({"carrier": ["UA", "new"]})).tolist() == [[0.75, 0, 0.25], [0.5, 0, 0.5]]


def test_a_stacking_learns_nothing_from_folds_that_lacked_a_class():
    """It is the same as without them: before, their rows entered with log-odds of 1 : 10,000,000 for the class."""
    first, *others = ROWS.inner
    lacking = np.isin(np.arange(600), first.train)
    label = np.where(lacking, np.maximum(ROWS.label, 2), ROWS.label)
    model = Model(Estimator.STACKING, members=["tree", "boosting"])

    all_folds, later_folds = (fit_classes(model, label=label, inner=inner) for inner in (ROWS.inner, others))

    assert all_folds.seen == (0, 2, 3)
    assert np.array_equal(all_folds.predict(ROWS.table), later_folds.predict(ROWS.table))
