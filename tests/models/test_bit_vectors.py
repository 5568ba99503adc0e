"""Trees by bit vectors come to the leaves that a walk comes to: on thresholds, beside them, without a value."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nightjar.models.bit_vectors import MOST_LEAVES, bit_vectors
from nightjar.models.trees import LEAF, Tree, Trees
from oracles.trees import sums

INPUTS, LEVELS = 3, 5
THRESHOLDS = [-np.inf, -1.5, -0.0, 5e-324, 0.5, 1.0, np.inf]
NUMBERS = sorted({*THRESHOLDS, *(np.nextafter(one, way) for one in THRESHOLDS[1:-1] for way in (-np.inf, np.inf))})


def tree(draw, leaves, category):
    """A tree of so many leaves, which grows at leaves at random; the last input may be a native category."""
    inputs, lower, upper = [LEAF], [0], [0]
    for _ in range(leaves - 1):
        node = draw(st.sampled_from([place for place, one in enumerate(inputs) if one == LEAF]))
        inputs[node], lower[node], upper[node] = draw(st.integers(0, INPUTS - 1)), len(inputs), len(inputs) + 1
        inputs += [LEAF, LEAF]
        lower += [0, 0]
        upper += [0, 0]
    nodes = len(inputs)
    of_sets = [node for node in range(nodes) if category and inputs[node] == INPUTS - 1]
    return Tree(
        inputs,
        draw(st.lists(st.sampled_from(THRESHOLDS), min_size=nodes, max_size=nodes)),
        draw(st.lists(st.booleans(), min_size=nodes, max_size=nodes)),
        lower,
        upper,
        [1.0] * nodes,
        np.array(draw(st.lists(st.floats(-1e3, 1e3), min_size=nodes, max_size=nodes)))[:, np.newaxis],
        {node: np.array(draw(st.lists(st.booleans(), min_size=LEVELS, max_size=LEVELS))) for node in of_sets},
        draw(st.integers(0, 1)),
    )


@st.composite
def forests(draw):
    """Trees, and rows that lie on their thresholds, right beside them, or have no value."""
    category = draw(st.booleans())
    sizes = draw(st.lists(st.sampled_from([1, 2, 3, 8, 33, 40]), min_size=1, max_size=4))
    trees = Trees([tree(draw, size, category) for size in sizes], np.array(draw(st.tuples(*2 * [st.floats(-5, 5)]))))
    value = st.sampled_from([*NUMBERS[1:-1], np.nan])
    last = st.sampled_from([*map(float, range(LEVELS)), np.nan]) if category else value
    rows = draw(st.lists(st.tuples(*(INPUTS - 1) * [value], last), min_size=1, max_size=40))
    return trees, np.array(rows)


@given(forests())
def test_bit_vectors_give_what_a_walk_gives_to_the_last_bit(case):
    trees, inputs = case
    vectors = bit_vectors(trees)
    if vectors is None:
        assert all(len(one.input) == 1 for one in trees.trees)
        return
    assert vectors.sums(inputs).tobytes() == sums(trees, inputs).tobytes()
    by_column = np.asfortranarray(inputs)
    assert vectors.sums(by_column).tobytes() == vectors.sums(inputs).tobytes()


def chain(leaves):
    """A tree that parts one input at 0, 1, 2, ...: the lower child is a leaf."""
    inner = leaves - 1
    nodes = 2 * leaves - 1
    inputs = [0 if node % 2 == 0 and node < 2 * inner else LEAF for node in range(nodes)]
    return Tree(
        inputs,
        [node / 2 for node in range(nodes)],
        [False] * nodes,
        [node + 1 for node in range(nodes)],
        [node + 2 for node in range(nodes)],
        [1.0] * nodes,
        np.arange(nodes, dtype=float)[:, np.newaxis],
        {},
    )


def test_a_tree_has_at_most_as_many_leaves_as_a_word_has_bits():
    """And more trees than a block of them, in words of either size."""
    for leaves in (2, 32, 33, MOST_LEAVES):
        trees = Trees([chain(leaves)] * 70, np.zeros(1))
        inputs = np.arange(-1.0, leaves + 1)[:, np.newaxis]
        vectors = bit_vectors(trees)
        assert vectors is not None
        assert np.array_equal(vectors.sums(inputs), sums(trees, inputs))
    assert bit_vectors(Trees([chain(MOST_LEAVES + 1)], np.zeros(1))) is None
    assert bit_vectors(Trees([chain(2)], np.zeros(1), as_float32=True)) is None
