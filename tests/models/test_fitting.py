import subprocess
import sys
import warnings

import numpy as np
import pyarrow as pa
import pytest

from models.rows import CANDIDATES, CLASSIFIED, FEATURES, MEMBERS, MODELS, examples, training_rows
from nightjar.errors import LearningError
from nightjar.models.checking import takes_weights
from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples, InnerSplit
from nightjar.models.fitting import fit
from nightjar.settings.columns import Missing, Number
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task

ALL = pytest.mark.parametrize("name", list(CANDIDATES))
OWN = pytest.mark.parametrize("estimator", list(MODELS), ids=lambda one: one.value)
WEIGHTED = [name for name, (task, one) in CANDIDATES.items() if takes_weights(one, task)]
UNWEIGHTED = [name for name in CANDIDATES if name not in WEIGHTED]
TOO_FEW = {
    "neighbours": "cannot be fitted to 3 rows: n_neighbors is 25",
    "platt": "All 1 out-of-fold rows have the label True: platt calibration needs both",
    "isotonic": "All 1 out-of-fold rows have the label True: isotonic calibration needs both",
}
"""What three rows say to those that cannot be fitted on them."""
LEARNING = [Estimator.LOGISTIC, Estimator.BOOSTING, Estimator.NETWORK, Estimator.FOREST]


def fit_candidate(name, rows, *, seed=0):
    task, model = CANDIDATES[name]
    return fit(model, rows, features=FEATURES, task=task, seed=seed, members=MEMBERS)


@pytest.mark.parametrize("name", list(CLASSIFIED))
def test_a_classification_gives_probabilities_about_as_high_as_the_rate(name):
    rows = examples()

    probabilities = fit_candidate(name, rows).predict(rows.table)

    assert probabilities.shape == rows.label.shape
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    if name not in ("over-sampled", "rule of a number"):
        assert abs(probabilities.mean() - rows.label.mean()) < 0.1


@pytest.mark.parametrize(
    "name",
    [
        "logistic",
        "lasso logistic",
        "elastic net logistic",
        "tree",
        "forest",
        "boosting",
        "stopped lightgbm",
        "stopped xgboost",
        "neighbours",
        "rule",
        "stacking for classification",
    ],
)
def test_what_drives_a_class_is_found(name):
    later = examples(rows=1000, seed=1)

    probabilities = fit_candidate(name, examples(rows=3000)).predict(later.table)

    assert probabilities[later.label].mean() > probabilities[~later.label].mean() + 0.08


NETS = {
    Task.CLASSIFICATION: [Model(Estimator.LOGISTIC, parameters={"C": 0.02, "l1_ratio": mix}) for mix in (0, 0.5, 1)],
    Task.REGRESSION: [
        Model(Estimator.LINEAR, parameters={"alpha": 0.2, "penalty": penalty})
        for penalty in ("ridge", "elastic_net", "lasso")
    ],
}


@pytest.mark.parametrize("task", NETS)
def test_an_elastic_net_drops_inputs_as_the_lasso_does_and_shrinks_the_others_less(task):
    ridge, net, lasso = (
        np.abs(fit(model, examples(task), features=FEATURES, task=task, seed=0).estimator.coef_) for model in NETS[task]
    )

    assert np.count_nonzero(lasso) <= np.count_nonzero(net) < np.count_nonzero(ridge)
    assert 0 < lasso.sum() < net.sum() < ridge.sum()


@pytest.mark.parametrize("name", [name for name, (task, _) in CANDIDATES.items() if not task.has_classes])
def test_what_drives_an_amount_is_found(name):
    """Or at least the mean, for what looks no further."""
    task, _ = CANDIDATES[name]
    later = examples(task, seed=1)

    values = fit_candidate(name, examples(task, rows=1500)).predict(later.table)

    assert np.isfinite(values).all()
    if name != "mean of amounts":
        assert np.corrcoef(values, later.label)[0, 1] > 0.05


@pytest.mark.slow
@ALL
def test_the_same_rows_and_seed_give_the_same_model_and_rows_stay_as_they_are(name):
    """Rows come from a shared, read-only object store: an estimator that writes in place would fail, or harm others."""
    task, _ = CANDIDATES[name]
    weight = np.linspace(0.5, 1.5, 600) if name in WEIGHTED else None
    rows, same = examples(task, weight=weight), examples(task)
    for array in (rows.label, rows.query, *(part for split in rows.inner for part in (split.train, split.test))):
        array.setflags(write=False)
    if weight is not None:
        weight.setflags(write=False)

    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*not writable.*")
        first, again = (fit_candidate(name, rows, seed=3).predict(rows.table) for _ in range(2))

    assert np.array_equal(first, again)
    assert rows.table.equals(same.table)
    assert np.array_equal(rows.label, same.label)


@pytest.mark.slow
@pytest.mark.parametrize("name", WEIGHTED)
def test_weights_reach_the_estimator(name):
    """Rows of True, of the last class, or of a great amount, that weigh ten times as much draw the scores up."""
    task, _ = CANDIDATES[name]
    rows = examples(task)
    weight = np.where(rows.label > np.median(rows.label), 10.0, 1.0)

    plain, drawn = (fit_candidate(name, examples(task, weight=one)).predict(rows.table) for one in (None, weight))

    if task is Task.RANKING:
        assert not np.array_equal(plain, drawn)  # an order has no height
    elif name != "rule of a number":
        last = (..., -1) if task is Task.MULTICLASS else ...  # the probability of the last class
        assert drawn[last].mean() > plain[last].mean() + 1e-6


@pytest.mark.parametrize("name", UNWEIGHTED)
def test_an_estimator_that_takes_no_weights_says_so(name):
    with pytest.raises(LearningError, match=r"(neighbours|Analysis) takes no weights"):
        fit_candidate(name, examples(CANDIDATES[name][0], weight=np.ones(600)))


@pytest.mark.parametrize("estimator", [Estimator.MAJORITY, Estimator.RATE, Estimator.LOGISTIC, Estimator.TREE])
def test_a_weight_of_two_is_the_row_twice(estimator):
    table, late = training_rows(200)
    twice = np.repeat(np.arange(200), np.arange(200) % 2 + 1)
    model = Model(estimator, parameters={"column": "carrier"} if estimator is Estimator.RATE else {})
    features = (FeatureColumn("hour", "number"), FeatureColumn("carrier", "category"))
    # The scaling of numbers counts rows, not weights.
    model.preparation.number.scale = None

    weighed = fit(model, Examples(table, late, np.arange(200) % 2 + 1.0), features=features[1:], seed=0)
    repeated = fit(model, Examples(table.take(twice), late[twice]), features=features[1:], seed=0)

    np.testing.assert_allclose(weighed.predict(table), repeated.predict(table), atol=1e-3)


def test_baselines_are_what_one_would_reckon_by_hand():
    table = pa.table({"carrier": ["UA"] * 10 + ["AA"] * 10 + [None] * 20})
    rows = Examples(table, np.array([True] * 10 + [False] * 30))
    features = (FeatureColumn("carrier", "category"),)
    tonight = pa.table({"carrier": ["UA", "AA", None, "unseen"]})

    majority = fit(MODELS[Estimator.MAJORITY], rows, features=features, seed=0)
    rate = fit(MODELS[Estimator.RATE], rows, features=features, seed=0)

    assert majority.predict(tonight).tolist() == [0.25] * 4
    assert rate.predict(tonight).tolist() == [(10 + 2.5) / 20, 2.5 / 20, 0.25, 0.25]


def test_a_baseline_asks_for_no_more_than_it_reads():
    read = {
        name: [column.name for column in fit_candidate(name, examples()).features]
        for name in ("majority", "rate", "rule")
    }

    assert read == {"majority": [], "rate": ["carrier"], "rule": ["hour", "delay", "carrier"]}
    assert fit_candidate("boosting", examples()).features == FEATURES


@pytest.mark.parametrize("estimator", LEARNING)
def test_dropped_features_are_not_used(estimator):
    rows = examples()
    model = Model(estimator, parameters=MODELS[estimator].parameters, drop=["delay", "carrier"])

    predictor = fit(model, rows, features=FEATURES, seed=0)

    assert [column.name for column in predictor.features] == ["hour", "holiday", "empty", "nothing"]
    assert len(predictor.predict(rows.table.drop_columns(["delay", "carrier"]))) == 600


@pytest.mark.parametrize("estimator", LEARNING)
def test_the_preparation_knows_training_rows_only(estimator):
    """Whatever stands in other rows, the model is the same: nothing is fitted when it predicts."""
    rows = examples()
    predictor = fit(MODELS[estimator], rows, features=FEATURES, seed=0)
    before = predictor.predict(rows.table)

    shifted = rows.table.set_column(2, "delay", pa.array(np.full(600, 1e6)))
    predictor.predict(shifted.set_column(5, "carrier", pa.array(["XX"] * 600)))

    assert np.array_equal(predictor.predict(rows.table), before)


@pytest.mark.parametrize("estimator", [Estimator.LOGISTIC, Estimator.NETWORK])
def test_features_without_any_value_leave_the_training_rate(estimator):
    table = pa.table({"empty": pa.nulls(100, pa.float64()), "nothing": pa.nulls(100, pa.string())})
    features = (FeatureColumn("empty", "number"), FeatureColumn("nothing", "category"))

    predictor = fit(MODELS[estimator], Examples(table, np.arange(100) % 4 == 0), features=features, seed=0)

    assert len(set(predictor.predict(table))) == 1


def test_a_tree_that_finds_no_value_in_any_feature_is_refused():
    model = Model(Estimator.BOOSTING, drop=["hour", "delay", "holiday", "carrier"])

    with pytest.raises(LearningError, match="No feature has a value in any of the 600 training rows"):
        fit(model, examples(), features=FEATURES, seed=0)


def test_settings_of_the_preparation_are_followed():
    """A null as -1000 is the shortest delay of all; as the median it says nothing."""
    low = Preparation(number=Number(missing=Missing.CONSTANT, constant=-1000.0, indicator=False))
    rows = examples()
    missing = np.isnan(rows.table["delay"].to_numpy())
    chances = [
        fit(
            Model(Estimator.LOGISTIC, preparation=settings),
            rows,
            features=FEATURES[1:2],
            task=Task.CLASSIFICATION,
            seed=0,
        ).predict(rows.table)[missing][0]
        for settings in (Preparation(), low)
    ]

    assert chances[0] != chances[1]


@OWN
@pytest.mark.parametrize(
    ("label", "message"),
    [
        (np.zeros(600, dtype=bool), "label False: there is nothing to learn"),
        (np.full(600, np.nan), "found .*nan"),
        (np.array([True, False, None] * 200, dtype=object), "found .*None"),
        (np.arange(600) % 3, r"found .*2"),
        (np.array([True, False]), "label is of shape .*one for each of the 600 rows"),
    ],
)
def test_labels_that_teach_nothing_are_refused(estimator, label, message):
    with pytest.raises(LearningError, match=message):
        fit(MODELS[estimator], examples(label=label), features=FEATURES, seed=0)


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        (Task.REGRESSION, {"label": np.full(600, 2.0)}, r"label 2\.0: there is nothing to learn"),
        (Task.REGRESSION, {"label": np.array([np.inf] + [1.0] * 599)}, "finite: found inf in 1 rows"),
        (Task.REGRESSION, {"label": np.array(["long"] * 600)}, "are numbers: found .*long"),
        (Task.RANKING, {"label": np.arange(600) - 1.0}, r"0 or more: found -1\.0"),
        (Task.RANKING, {"query": None}, "needs `query`"),
        (Task.RANKING, {"query": np.arange(600)}, "No list has two rows of different relevance"),
        (Task.CLASSIFICATION, {"weight": np.full(600, -1.0)}, r"0 or more: found -1\.0 in 600 rows"),
        (Task.CLASSIFICATION, {"weight": np.zeros(600)}, "All 600 training rows have weight 0"),
        (Task.CLASSIFICATION, {"weight": np.ones(3)}, r"weight is of shape \(3,\)"),
    ],
)
def test_labels_weights_and_lists_are_checked(task, changes, message):
    model = Model(Estimator.LINEAR if task is Task.REGRESSION else Estimator.LOGISTIC)

    with pytest.raises(LearningError, match=message):
        fit(model, examples(task, **changes), features=FEATURES, task=task, seed=0)


def test_a_class_that_weighs_nothing_is_not_there():
    rows = examples()

    with pytest.raises(LearningError, match="All rows with the label True have weight 0"):
        fit(MODELS[Estimator.LOGISTIC], examples(weight=1.0 - rows.label), features=FEATURES, seed=0)


@OWN
def test_no_rows_are_refused(estimator):
    with pytest.raises(LearningError, match="no training rows"):
        fit(MODELS[estimator], Examples(training_rows()[0][:0], np.array([])), features=FEATURES, seed=0)


@pytest.mark.parametrize("name", list(CLASSIFIED))
def test_three_rows_are_a_model_or_a_clear_error(name):
    table, _ = training_rows(3)
    inner = [InnerSplit(np.array([0, 1]), np.array([2]))]

    rows = Examples(table, np.array([True, False, True]), inner=inner)
    if name in TOO_FEW:
        with pytest.raises(LearningError, match=TOO_FEW[name]):
            fit_candidate(name, rows)
    else:
        assert np.isfinite(fit_candidate(name, rows).predict(table)).all()


@pytest.mark.parametrize("estimator", LEARNING)
def test_infinite_and_unfitting_columns_are_named(estimator):
    rows = examples()
    infinite = rows.table.set_column(2, "delay", pa.array(np.where(rows.label, np.inf, 0.0)))

    with pytest.raises(LearningError, match="Infinite values in the training rows: delay"):
        fit(MODELS[estimator], Examples(infinite, rows.label), features=FEATURES, seed=0)
    with pytest.raises(LearningError, match=r"missing: delay \(number\)"):
        fit(MODELS[estimator], Examples(rows.table.drop_columns(["delay"]), rows.label), features=FEATURES, seed=0)


def test_fewer_rows_than_neighbours_are_told_when_fitting_not_when_scoring():
    with pytest.raises(LearningError, match=r"neighbours .*cannot be fitted to 20 rows: n_neighbors is 25"):
        fit_candidate("neighbours", examples(rows=20))


def test_a_calibration_without_inner_splits_is_refused():
    model = Model(Estimator.TREE, calibration=Calibration.ISOTONIC)

    with pytest.raises(
        LearningError, match=r"isotonic calibration is fitted on out-of-fold .*600 .*without inner splits"
    ):
        fit(model, examples(inner=()), features=FEATURES, seed=0)


@pytest.mark.slow
def test_torch_is_not_imported_until_a_network_is_fitted():
    modules = "nightjar.models.fitting, nightjar.models.predictor, nightjar.models.serialization.skops_allowlist"
    program = f"import sys, {modules}; sys.exit(bool({{'torch', 'lightgbm', 'xgboost'}} & {{*sys.modules}}))"

    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
