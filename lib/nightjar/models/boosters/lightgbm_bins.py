"""Rows as LightGBM sorts their values into bins, for all candidates that a search fits to the same ones.

That is a fifth of a fit, and no parameter of trees decides it. A process keeps the bins of the folds that it has worked
on last.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST_BYTES = 64 << 20
"""Of the bins of all rows that a process keeps; rows with more are sorted anew each time."""
OF_TREES = frozenset(
    {
        *("colsample_bytree", "learning_rate", "max_depth", "min_child_weight", "min_split_gain", "num_leaves"),
        *("reg_alpha", "reg_lambda", "subsample", "subsample_freq"),
    }
)
"""Parameters that change trees alone, and no bin."""
_recent: OrderedDict[bytes, Any] = OrderedDict()


def train_on_bins(
    train: Callable[[Any], bytes],
    library: Any,
    inputs: Floats,
    targets: Floats,
    weight: Floats | None,
    categories: Sequence[int],
    options: Mapping[str, Any],
) -> bytes:
    """What a training on these rows gives.

    Args:
        train: the training, from the library's `Dataset`.
        library: LightGBM.
        inputs: (rows, inputs).
        targets: (rows,).
        weight: (rows,).
        categories: the numbers of inputs that are codes of native categories.
        options: of the library.
    """
    size = inputs.size * (1 if options["max_bin"] < 256 else 2)
    if size > MOST_BYTES:
        return train(library.Dataset(inputs, targets, weight=weight, categorical_feature=categories, params=options))
    key = _key(inputs, categories, options)
    rows = _recent.pop(key, None)  # while it is in use, nobody else has it
    if rows is None:
        rows = library.Dataset(inputs, targets, weight=weight, categorical_feature=categories, params=options)
    else:
        rows.set_label(targets)
        rows.set_weight(weight)
    model = train(rows)
    _recent[key] = rows
    while len(_recent) * size > MOST_BYTES:  # the rows of a search's folds are about equally many
        _recent.popitem(last=False)
    return model


def _key(inputs: Floats, categories: Sequence[int], options: Mapping[str, Any]) -> bytes:
    of_bins = sorted((name, repr(value)) for name, value in options.items() if name not in OF_TREES)
    digest = hashlib.blake2b(repr((inputs.shape, list(categories), of_bins)).encode())
    digest.update(np.ascontiguousarray(inputs).data)
    return digest.digest()
