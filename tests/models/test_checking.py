import pytest

from models.rows import CANDIDATES, FEATURES, MEMBERS
from nightjar.errors import LearningError
from nightjar.models.checking import check_model
from nightjar.models.estimators.sklearn_allowlist import ALLOWED_CLASSES
from nightjar.settings.columns import Category, ColumnPreparation, Encoding, Missing, Number
from nightjar.settings.labelling import SelfTraining
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.preparation import Imbalance, ImbalanceKind, Preparation
from nightjar.settings.task import Task

E, CALIBRATED, SMOTE = Estimator, Calibration.PLATT, Imbalance(ImbalanceKind.SMOTE)
KEPT = Preparation(number=Number(missing=Missing.KEEP))
SVC, TREES = "sklearn.svm.SVC", "sklearn.ensemble.ExtraTreesClassifier"
ENCODED = Preparation(category=Category(encoding=Encoding.TARGET))
OTHERS = {
    **MEMBERS,
    "encoded": Model(E.TREE, preparation=ENCODED),
    "bag": Model(E.BAGGING, members=["tree"]),
    "tuned": Model(E.TREE, calibration=CALIBRATED),
    "broken": Model(E.TREE, parameters={"max_depth": 0}),
}


@pytest.mark.parametrize("name", list(CANDIDATES))
def test_every_candidate_that_can_be_fitted_passes(name):
    task, model = CANDIDATES[name]

    check_model(model, features=FEATURES, task=task, members=MEMBERS)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model(E.LOGISTIC, parameters={"c": 1}), r"no parameter c here \(did you mean 'C'\?\). It knows C, cl"),
        (Model(E.MAJORITY, parameters={"x": 1}), "majority has no parameter x here. It knows none at all"),
        (Model(E.BOOSTING, parameters={"early_stopping": True}), "no parameter early_stopping"),
        (Model(E.TREE, parameters={"random_state": 1}), "no parameter random_state"),
        (Model(E.LOGISTIC, parameters={"C": -1}), r"logistic with \{'C': -1\} cannot be fitted: The 'C' parameter"),
        (Model(E.FOREST, parameters={"n_estimators": "many"}), "'n_estimators' parameter .* must be an int"),
        (Model(E.NEIGHBOURS, parameters={"n_neighbors": 0}), "n_neighbors"),
        (Model(E.RATE, parameters={"column": "carrier", "pseudo_count": -1}), "pseudo_count is -1"),
        (Model(E.RATE, parameters={"column": "carrier", "pseudo_count": "few"}), "pseudo_count is 'few'"),
        (Model(E.RATE), "column: None"),
        (Model(E.RATE, parameters={"column": "wings"}), "column: 'wings'.*among hour, delay"),
        (Model(E.NETWORK, parameters={"hidden": "wide"}), "Expected hidden"),
        (Model(E.NETWORK, parameters={"dropout": "much"}), "Expected dropout"),
        (Model(E.NETWORK, parameters={"layers": 2}), "network has no parameter layers"),
        (Model(E.NETWORK, self_training=SelfTraining(0.9)), "self_training is not for network"),
        (Model(E.LOGISTIC, space={"C": [1]}), r"still has a space \(C\)"),
        (Model(E.LOGISTIC, drop=["wings"]), "drop names wings"),
        (Model(E.LOGISTIC, drop=[column.name for column in FEATURES]), "no feature to use"),
        (Model(E.LINEAR), "linear is for regression, ranking, and the task is classification"),
        (Model(E.RULE), "A rule is a text"),
        (Model(E.RULE, parameters={"expression": "wings > 2"}), "names wings, not among the features hour"),
        (Model(E.RULE, parameters={"expression": "delay > 2"}, drop=["delay"]), "names delay, not among"),
        (Model(E.SKLEARN, class_name=SVC), "class_name is 'sklearn.svm.SVC': expected one of"),
        (Model(E.SKLEARN, class_name="os.system"), "class_name is 'os.system'"),
        (Model(E.SKLEARN, class_name=TREES, parameters={"n_jobs": 2}), "no parameter n_jobs"),
        (Model(E.SKLEARN, class_name=TREES, parameters={"max_depth": -2}), "ExtraTreesClassifier with .*'max_depth'"),
        (Model(E.SKLEARN, class_name="sklearn.linear_model.SGDClassifier"), "gives no probabilities: choose another"),
        (Model(E.LOGISTIC, preparation=KEPT), "keep"),
        (Model(E.RULE, parameters={"expression": "delay"}, preparation=KEPT), "rule prepares no features"),
        (Model(E.TREE, preparation=Preparation(columns={"wings": ColumnPreparation(number=Number())})), "names wings"),
        (Model(E.RATE, parameters={"column": "carrier"}, imbalance=SMOTE), "smote: rate for classification has no"),
        (Model(E.NEIGHBOURS, imbalance=Imbalance(ImbalanceKind.CLASS_WEIGHT)), "neighbours takes no weights"),
        (Model(E.NETWORK, imbalance=SMOTE), "it puts rows behind the newest ones"),
        (
            Model(E.VOTING, members=["tree", "wings"]),
            "members wings, which are no candidates; there are boosting, tree",
        ),
        (Model(E.VOTING, members=["tree", "boosting"], parameters={"weights": [1]}), r"weights is \[1\]: expected 2"),
        (Model(E.BAGGING, members=["tree"], parameters={"count": 0}), "count is 0: expected a whole number from 1"),
        (Model(E.STACKING, members=["tree", "boosting"], parameters={"strength": 0}), "strength is 0"),
    ],
)
def test_models_that_cannot_be_fitted_are_refused_before_any_row(model, message):
    with pytest.raises(LearningError, match=message):
        check_model(model, features=FEATURES, task=Task.CLASSIFICATION, members=MEMBERS)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model(E.BAGGING, members=["bag"]), "bagging: its member bag is an ensemble itself"),
        (Model(E.BAGGING, members=["broken"]), "bagging: its member broken: tree with {'max_depth': 0} cannot"),
        (Model(E.STACKING, members=["tree", "tuned"]), "its member tuned is calibrated, and so is the whole"),
        (Model(E.VOTING, members=["tree", "tuned"], calibration=CALIBRATED), "its member tuned is calibrated"),
        (Model(E.STACKING, members=["tree", "boosting"], calibration=CALIBRATED), "a calibration already"),
        (Model(E.MAJORITY, calibration=CALIBRATED), "majority gives every row the same probabilities"),
    ],
)
def test_members_that_cannot_be_members_are_named(model, message):
    with pytest.raises(LearningError, match=message):
        check_model(model, features=FEATURES, members=OTHERS)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model(E.MAJORITY), "majority is for classification, multiclass, and the task is regression"),
        (Model(E.LOGISTIC), "logistic is for classification, multiclass, ranking, and"),
        (Model(E.SKLEARN, class_name=TREES), "ExtraTreesClassifier is for classification, multiclass, and"),
        (Model(E.TREE, calibration=CALIBRATED), "calibration is platt: only a classification"),
        (Model(E.TREE, self_training=SelfTraining(0.9)), "only a classification has one"),
        (Model(E.TREE, imbalance=SMOTE), "imbalance is smote: tree for regression has no classes"),
        (Model(E.TREE, parameters={"class_weight": "balanced"}), "tree has no parameter class_weight here"),
        (Model(E.NETWORK, parameters={"class_weight": "balanced"}), "only a classification has classes"),
        (Model(E.LINEAR, parameters={"penalty": "huber"}), "penalty is 'huber': expected one of ridge, lasso"),
        (Model(E.LINEAR, parameters={"l1_ratio": 0.5}), "linear has no parameter l1_ratio here"),
    ],
)
def test_what_does_not_fit_the_task_is_refused(model, message):
    with pytest.raises(LearningError, match=message):
        check_model(model, features=FEATURES, task=Task.REGRESSION)


def test_everything_behind_the_door_is_among_the_candidates_that_the_other_tests_fit():
    assert {model.class_name for _, model in CANDIDATES.values() if model.class_name} == set(ALLOWED_CLASSES)


@pytest.mark.parametrize(
    ("model", "depth"),
    [
        (Model(E.TREE), 0),
        (Model(E.TREE, calibration=CALIBRATED), 1),
        (Model(E.STACKING, members=["tree", "boosting"]), 1),
        (Model(E.VOTING, members=["tree", "boosting"]), 0),
        (Model(E.VOTING, members=["tree", "tuned"]), 1),
        (Model(E.TREE, preparation=ENCODED), 1),
        (Model(E.TREE, preparation=ENCODED, calibration=CALIBRATED), 2),
        (Model(E.STACKING, members=["tree", "encoded"]), 2),
        (Model(E.TREE, preparation=Preparation(columns={"carrier": ColumnPreparation(category=Category())})), 0),
    ],
)
def test_what_learns_from_out_of_fold_predictions_asks_for_inner_splits_as_deep_as_it_does(model, depth):
    assert model.inner_depth(OTHERS) == depth
