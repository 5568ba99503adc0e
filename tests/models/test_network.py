from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rows import FEATURES, examples
from nightjar.errors import LearningError, ModelError
from nightjar.models.checking import check_model
from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.network.perceptron import Perceptron
from nightjar.models.network.training import Options, build, fit_network, state_of
from nightjar.settings.columns import Category, ColumnPreparation, Encoding
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task

OPTIONS = Options(hidden=(8,), epochs=5, batch_size=64, learning_rate=0.01)


def rows_of(count, seed=0):
    inputs = np.random.default_rng(seed).normal(size=(count, 3))
    return inputs, inputs[:, 0] > 0


@settings(deadline=None, max_examples=25)
@given(
    numbers=st.integers(0, 12),
    levels=st.lists(st.integers(1, 6), max_size=3),
    hidden=st.lists(st.integers(1, 20), max_size=3),
    seed=st.integers(0, 2**31),
)
def test_numpy_and_torch_infer_the_same(numbers, levels, hidden, seed):
    inputs = numbers + len(levels)
    if not inputs:
        return
    torch.manual_seed(seed)
    columns = dict(enumerate(levels, start=numbers))
    network = build(inputs, Options(hidden=hidden, embedding=3, dropout=0.5), columns).eval()
    random = np.random.default_rng(seed)
    values = random.normal(size=(50, inputs), scale=3)
    for column, count in columns.items():
        values[:, column] = random.integers(-1, count - 1, 50)

    with torch.no_grad():
        by_torch = torch.sigmoid(network(torch.as_tensor(values, dtype=torch.float32)))[:, 0].numpy()

    np.testing.assert_allclose(Perceptron(state_of(network)).predict(values), by_torch, rtol=0, atol=1e-6)


def test_a_network_learns_and_the_same_seed_learns_the_same():
    inputs, late = rows_of(1000)

    first, again, other = (fit_network(inputs, late, options=OPTIONS, seed=seed) for seed in (1, 1, 2))

    assert np.mean((first.predict(inputs) > 0.5) == late) > 0.9
    assert all(np.array_equal(first.state[name], again.state[name]) for name in first.state)
    assert not np.array_equal(first.state["0.weight"], other.state["0.weight"])


def test_amounts_are_learned_in_their_own_unit():
    inputs, _ = rows_of(1000)
    amounts = 1000 + 50 * inputs[:, 0]

    network = fit_network(inputs, amounts, options=Options(hidden=(), epochs=40, learning_rate=0.05), seed=1)

    assert not network.probability
    np.testing.assert_allclose(network.predict(inputs), amounts, atol=8)


def test_each_value_of_a_category_has_its_own_numbers_and_the_unseen_have_those_of_null():
    """Only the third of five sites is late, which no single number for the site could say by a line."""
    sites = np.array(["a", "b", "c", "d", None], dtype=object)[np.arange(1000) % 5]
    rows = Examples(pa.table({"site": sites}), np.arange(1000) % 5 == 2)
    options = {"hidden": [], "embedding": 2, "epochs": 60, "learning_rate": 0.05, "batch_size": 100}

    predictor = fit(
        Model(Estimator.NETWORK, parameters=options), rows, features=[FeatureColumn("site", "category")], seed=0
    )
    scores = predictor.predict(pa.table({"site": ["a", "b", "c", "d", None, "unseen"]}))

    assert scores[2] > 0.9
    assert scores[[0, 1, 3, 4]].max() < 0.1
    assert scores[5] == scores[4]
    assert predictor.estimator.state["embedding.0"].shape == (5, 2)


def test_a_category_that_the_settings_prepare_is_not_embedded():
    own = Preparation(columns={"carrier": ColumnPreparation(category=Category(encoding=Encoding.FREQUENCY))})
    options = {"hidden": [2], "epochs": 1}
    shapes = [
        sorted(name for name in predictor.estimator.state if name.startswith("embedding"))
        for predictor in (
            fit(Model(Estimator.NETWORK, parameters=options, preparation=one), examples(), features=FEATURES, seed=0)
            for one in (Preparation(), own, Preparation(category=Category(encoding=Encoding.FREQUENCY)))
        )
    ]

    assert [len(names) for names in shapes] == [2, 1, 0]


def test_rows_that_weigh_nothing_teach_nothing():
    """The last row of each pair says the contrary, with weight 0 or with the same one."""
    inputs, late = rows_of(800)
    late[1::2] = ~late[1::2]

    weighed, plain = (
        fit_network(inputs, late, options=OPTIONS, seed=1, weight=weight).predict(inputs)
        for weight in (np.arange(800) % 2 == 0.0, None)
    )

    assert np.mean((weighed > 0.5) == (inputs[:, 0] > 0)) > 0.9
    assert np.abs(plain - 0.5).max() < 0.25


def test_balanced_classes_weigh_the_same():
    inputs = np.zeros((1000, 1))
    late = np.arange(1000) % 10 == 0
    options = {"hidden": (), "epochs": 50, "batch_size": 100, "learning_rate": 0.1}

    rare, balanced = (
        fit_network(inputs, late, options=Options(**options, class_weight=one), seed=0).predict(inputs)[0]
        for one in (None, "balanced")
    )

    assert rare == pytest.approx(0.1, abs=0.03)
    assert balanced == pytest.approx(0.5, abs=0.05)


def test_training_leaves_torchs_randomness_and_threads_alone():
    torch.manual_seed(7)
    before, threads = torch.get_rng_state(), torch.get_num_threads()

    fit_network(*rows_of(50), options=OPTIONS, seed=1)

    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_the_best_epoch_on_the_newest_tenth_is_kept():
    """The newest tenth says the contrary of the rest: every epoch makes it worse, so the first one is the best."""
    inputs, late = rows_of(400)
    late[-40:] = ~late[-40:]
    one_epoch = Options(hidden=(8,), epochs=1, batch_size=64, learning_rate=0.01)

    first = fit_network(inputs, late, options=one_epoch, seed=1)
    stopped = fit_network(inputs, late, options=OPTIONS, seed=1)

    assert np.array_equal(first.state["0.weight"], stopped.state["0.weight"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and torch finds none on this machine")
def test_on_a_gpu_half_precision_learns_what_a_cpu_learns():
    inputs, late = rows_of(2000)
    on_gpu = fit_network(inputs, late, options=replace(OPTIONS, gpu=True), seed=1).predict(inputs)
    on_cpu = fit_network(inputs, late, options=OPTIONS, seed=1).predict(inputs)

    assert np.mean((on_gpu > 0.5) == late) > 0.9
    assert np.corrcoef(on_gpu, on_cpu)[0, 1] > 0.95


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and torch finds none on this machine")
def test_on_a_gpu_amounts_are_learned_from_embedded_codes_too():
    inputs, _ = rows_of(2000)
    inputs[:, 2] = np.arange(2000) % 5 - 1
    amounts = 1000 + 50 * inputs[:, 0] + 80 * (inputs[:, 2] == 1)
    options = Options(hidden=(), embedding=2, epochs=40, batch_size=64, learning_rate=0.02, gpu=True)

    network = fit_network(inputs, amounts, options=options, seed=1, levels={2: 5})

    np.testing.assert_allclose(network.predict(inputs), amounts, atol=8)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device on this machine")
def test_a_gpu_that_is_not_there_is_a_stated_error_before_anything_is_fitted():
    model = Model(Estimator.NETWORK, parameters={"gpu": True})
    with pytest.raises(LearningError, match="gpu is true, and torch finds no CUDA device"):
        check_model(model, [FeatureColumn("x", "number")], Task.CLASSIFICATION, {})


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": [0]},
        {"hidden": [True]},
        {"embedding": -1},
        {"dropout": 1.0},
        {"epochs": 0},
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"weight_decay": -1},
        {"class_weight": "heavy"},
        {"gpu": "yes"},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(LearningError, match=f"Expected .*{next(iter(options))}"):
        Options(**options)


def test_a_network_without_a_finite_loss_is_no_model():
    inputs, late = rows_of(100)

    with pytest.raises(LearningError, match="never finite"):
        fit_network(inputs * 1e38, late, options=Options(learning_rate=1e30), seed=1)


def test_one_row_is_no_network():
    with pytest.raises(LearningError, match=r"two rows at least.*found 1"):
        fit_network(np.zeros((1, 2)), np.array([True]), options=OPTIONS, seed=0)


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"0.weight": (1, 3)},
        {"0.weight": (0, 3), "0.bias": (0,)},  # no output
        {"0.weight": (2, 3), "0.bias": (2,), "1.weight": (1, 3), "1.bias": (1,)},
        {"0.weight": (3,), "0.bias": (1,)},
        {"0.weight": (1, 3), "0.bias": (1,), "embedding.0": (5, 4)},  # more than the layer takes
        {"0.weight": (1, 3), "0.bias": (1,), "embedding.9": (5, 2)},  # of an input there is not
        {"0.weight": (1, 3), "0.bias": (1,), "embedding.1": (0, 2)},
        {"0.weight": (1, 3), "0.bias": (1,), "embedding.1": (5,)},
        {"0.weight": (1, 4), "0.bias": (1,), "embedding.1": (5, 2), "embedding.01": (5, 2)},
        {"0.weight": (1, 3), "0.bias": (1,), "embedding.x": (5, 2)},
    ],
)
def test_arrays_that_are_no_network_are_refused(shapes):
    with pytest.raises(ModelError, match="network's"):
        Perceptron({name: np.zeros(shape) for name, shape in shapes.items()})


def test_another_number_of_inputs_is_refused():
    network = Perceptron({"0.weight": np.zeros((1, 4)), "0.bias": np.zeros(1), "embedding.2": np.zeros((5, 2))})

    assert network.predict(np.array([[1.0, 2.0, 3.0]])).tolist() == [0.5]
    with pytest.raises(ModelError, match=r"takes 3 inputs a row, found an array of shape \(1, 4\)"):
        network.predict(np.zeros((1, 4)))
