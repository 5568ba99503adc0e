"""The sum of trees of each row, by walking from the root of every tree."""

import numpy as np

from nightjar.models.trees import LEAF, Trees


def sums(trees: Trees, inputs: np.ndarray) -> np.ndarray:
    """The base and each tree's value, added one after another: (rows, outputs)."""
    result = np.tile(trees.base, (len(inputs), 1))
    for row, values in enumerate(trees.read(inputs).T):
        for tree in trees.trees:
            node = 0
            while tree.input[node] != LEAF:
                is_lower = tree.fulfil(node, values[tree.input[node] : tree.input[node] + 1])[0]
                node = tree.lower[node] if is_lower else tree.upper[node]
            result[row, tree.output] += tree.value[node, 0]
    return result
