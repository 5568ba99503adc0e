"""Predictions of several classes: the columns by which references and drift watch them, and their probabilities."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

SCORE, PREDICTED, PROBABILITIES = "score", "predicted", "probabilities"
ASSIGNMENT = "assignment"
CONTROL, EXPLORATION, BY_SCORE = "control", "exploration", "score"
"""Its values: of an entity that nobody acts on; drawn so that nobody acts on it; to be acted on by its score."""
RAW_SCORE, ABSTAINED, PREDICTION_SET = "raw_score", "abstained", "prediction_set"
PREDICTED_CLASS = "predicted class"
"""Subject of references and drift; no feature is called so, since their names are identifiers."""

CHAMPION_ROLE, CHALLENGER_ROLE, RETROSPECTIVE_ROLE = "champion", "challenger", "retrospective"
"""Values of `scores.role`; the others are `shadow_role`."""
SERVED, FALLBACK, ARM, ARM_PROPENSITY, TIER = "served", "fallback", "arm", "arm_propensity", "tier"
PREVIOUS_CHAMPION, RULE = "previous champion", "rule"
"""Values of `scores.fallback`; the rule is no registered version, and is `scores.model_version` of its rows, too."""


def shadow_role(version: str) -> str:
    """The role of a shadow."""
    return f"shadow_{version}"


def is_served(columns: Iterable[str]) -> ds.Expression:
    """The condition that a row of `scores` is served, whose table has these columns.

    Rows from before there was the column `served` are, where they are the champion's.
    """
    of_champion = pc.field("role") == CHAMPION_ROLE
    if SERVED not in columns:
        return of_champion
    return pc.field(SERVED) | (pc.field(SERVED).is_null() & of_champion)


def probability_of(value: str) -> str:
    """The subject of references and drift that is the probability of a class."""
    return f"probability[{value}]"


def watched(classes: Sequence[str]) -> list[str]:
    """The subjects that are no features: the score; of several classes the predicted one and each probability, too."""
    return [SCORE, PREDICTED_CLASS, *map(probability_of, classes)] if classes else [SCORE]


def classes_of(subjects: Iterable[str]) -> list[str]:
    """The classes of which the probability is among the subjects of a reference; since then others may be declared."""
    start = probability_of("").removesuffix("]")
    return [name.removeprefix(start).removesuffix("]") for name in subjects if name.startswith(start)]


def unfold(scores: pa.Table, classes: Sequence[str]) -> pa.Table:
    """The rows of `scores` with the probability of each class as a column, `probability_of`, in place of the map.

    Of a class that the model does not know it is 0.
    """
    maps = scores[PROBABILITIES].combine_chunks()
    for value in classes:
        own = pc.map_lookup(maps, pa.scalar(value), "first")
        scores = scores.append_column(probability_of(value), pc.fill_null(own, 0.0))
    return scores.drop_columns([PROBABILITIES])


def set_with(value: str) -> str:
    """The column of `unfold_sets` that says whether a class is in the row's set."""
    return f"{PREDICTION_SET}[{value}]"


def unfold_sets(scores: pa.Table, classes: Sequence[str]) -> pa.Table:
    """The rows of `scores` with a column for each class, `set_with`, in place of the list: joins take no lists.

    Where nothing is known of a row's set it is null.
    """
    sets = scores[PREDICTION_SET].combine_chunks()
    values, rows = pc.list_flatten(sets), pc.list_parent_indices(sets).to_numpy()
    for value in classes:
        is_in = np.zeros(len(scores), np.bool_)
        is_in[rows[np.asarray(pc.equal(values, pa.scalar(value)))]] = True
        column = pa.array(is_in, mask=np.asarray(sets.is_null()))
        scores = scores.append_column(set_with(value), column)
    return scores.drop_columns([PREDICTION_SET])


def probabilities_of(scores: pa.Table, classes: Sequence[str]) -> npt.NDArray[np.float64]:
    """The probabilities of rows that `unfold` gave, (rows, classes)."""
    return np.column_stack([scores[probability_of(value)].to_numpy() for value in classes])
