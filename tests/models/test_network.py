import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.errors import LearningError, ModelError
from nightjar.models.network import Options, _state, build, fit_network
from nightjar.models.perceptron import Perceptron

OPTIONS = Options(hidden=(8,), epochs=5, batch_size=64, learning_rate=0.01)


def rows_of(count, seed=0):
    inputs = np.random.default_rng(seed).normal(size=(count, 3))
    return inputs, inputs[:, 0] > 0


@settings(deadline=None, max_examples=25)
@given(inputs=st.integers(1, 30), hidden=st.lists(st.integers(1, 40), max_size=3), seed=st.integers(0, 2**31))
def test_numpy_and_torch_infer_the_same(inputs, hidden, seed):
    torch.manual_seed(seed)
    network = build(inputs, Options(hidden=hidden, dropout=0.5)).eval()
    values = np.random.default_rng(seed).normal(size=(50, inputs), scale=3)

    with torch.no_grad():
        by_torch = torch.sigmoid(network(torch.as_tensor(values, dtype=torch.float32)))[:, 0].numpy()

    np.testing.assert_allclose(Perceptron(_state(network)).predict_proba(values)[:, 1], by_torch, rtol=0, atol=1e-6)


def test_a_network_learns_and_the_same_seed_learns_the_same():
    inputs, late = rows_of(1000)

    first, again, other = (fit_network(inputs, late, options=OPTIONS, seed=seed) for seed in (1, 1, 2))

    assert np.mean((first.predict_proba(inputs)[:, 1] > 0.5) == late) > 0.9
    assert all(np.array_equal(first.state[name], again.state[name]) for name in first.state)
    assert not np.array_equal(first.state["0.weight"], other.state["0.weight"])


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


@pytest.mark.parametrize(
    "options", [{"hidden": [0]}, {"dropout": 1.0}, {"epochs": 0}, {"learning_rate": 0}, {"weight_decay": -1}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(LearningError, match=f"Expected .*{next(iter(options))}"):
        Options(**options)


def test_a_network_without_a_finite_loss_is_no_model():
    inputs, late = rows_of(100)

    with pytest.raises(LearningError, match="never finite"):
        fit_network(inputs * 1e38, late, options=Options(learning_rate=1e30), seed=1)


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"0.weight": (1, 3)},
        {"0.weight": (2, 3), "0.bias": (2,)},  # two outputs
        {"0.weight": (2, 3), "0.bias": (2,), "1.weight": (1, 3), "1.bias": (1,)},
        {"0.weight": (3,), "0.bias": (1,)},
    ],
)
def test_arrays_that_are_no_network_are_refused(shapes):
    with pytest.raises(ModelError, match="network's"):
        Perceptron({name: np.zeros(shape) for name, shape in shapes.items()})
