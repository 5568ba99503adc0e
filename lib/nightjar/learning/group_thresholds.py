"""Thresholds by group: fitted with those of the tiers to out-of-fold scores, and which one a row has."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from nightjar.evaluation.group_thresholds import MovedScores, fit_moved_scores
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitted_threshold import ByGroup, Threshold
from nightjar.registry.tiers import GroupThreshold, TierThreshold
from nightjar.settings.fairness import Mitigation, Parity
from nightjar.tables import groups
from nightjar.tables.groups import Values


@dataclass(frozen=True, eq=False)
class GroupScores:
    """How the scores of groups are moved, so that one threshold is right for all of them.

    Attributes:
        columns: those that tell groups apart.
        values: of each group, in the order of their numbers.
        group: the number of each row's group.
        of_acted: the same of the rows that somebody has acted on.
        moved: how the scores of each group are moved.
    """

    columns: tuple[str, ...]
    values: list[Values]
    group: RowNumbers
    of_acted: RowNumbers
    moved: MovedScores

    def with_own(self, threshold: Threshold) -> Threshold:
        """A threshold of moved scores, with what it is for the scores of each group."""
        own = tuple(
            GroupThreshold(self.values[number], self.moved.threshold(threshold.value, number))
            for number in self.moved.knots
        )
        return replace(threshold, by_group=ByGroup(self.columns, own, self.moved.threshold(threshold.value, None)))


def fit_group_scores(rows: TrainingSet, scores: Floats, mitigation: Mitigation) -> GroupScores:
    """Learn from out-of-fold scores, NaN where there is none, how they are moved; the rows have the columns."""
    tables = [pa.table({})] if rows.slices is None else [rows.slices.select(mitigation.columns)]
    tables += [] if rows.acted is None else [rows.acted.table.select(mitigation.columns)]
    numbers, values = groups.values(pa.concat_tables(tables, promote_options="permissive"), mitigation.columns)
    group, of_acted = np.split(numbers, [len(rows.label)])
    scored = np.flatnonzero(~np.isnan(scores))
    true = rows.label[scored] == 1
    moved = fit_moved_scores(
        scores[scored],
        group[scored],
        true if mitigation.goal is Parity.EQUAL_OPPORTUNITY else np.ones(len(scored), bool),
        None if rows.weight is None else rows.weight[scored],
        least_rows=mitigation.least_rows,
        unseen=mitigation.unseen,
    )
    return GroupScores(tuple(mitigation.columns), values, group, of_acted, moved)


def threshold_of_rows(tier: TierThreshold, columns: pa.Table | None) -> float | Floats:
    """The threshold of a tier, that of each row where groups have their own, whose columns the rows then have."""
    return tier.threshold if columns is None or not tier.columns else tier.of_rows(columns)


def absent_columns(tier: TierThreshold | None, columns: pa.Table | None) -> list[str]:
    """Those by which thresholds of a tier differ, but that some rows do not have."""
    present = [] if columns is None else columns.column_names
    return [] if tier is None else [name for name in tier.columns if name not in present]
