"""The figures of a night by watched slice and by group, how groups fare beside the rest, and what decisions cost."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.decisions import row_costs
from nightjar.evaluation.fairness_criteria import GroupFigure, group_figures
from nightjar.evaluation.followed import AGAINST_REST, ALL, shift_figures
from nightjar.evaluation.intervals import LEVEL
from nightjar.evaluation.metric_report import Truth, mean_interval
from nightjar.evaluation.part_metrics import part_metrics
from nightjar.evaluation.rows import Floats
from nightjar.monitoring.figures import Figure, plain
from nightjar.settings.project import Project
from nightjar.settings.task import Task
from nightjar.tables.parts import parts_of, watched_parts
from nightjar.tables.predictions import TIER

COST, COST_IF_NONE, COST_IF_ALL = "cost", "cost_if_none", "cost_if_all"
CRITERIA = ("selection_rate", "recall", "false_positive_rate", "precision", "calibration_gap", "disparate_impact")
"""Criteria of fairness that are followed: the other ones are made of these."""


def parts_of_night(rows: pa.Table, project: Project) -> dict[str, Booleans]:
    """Name of a watched part -> whether each row is of it, by the columns that are stored."""
    by = [columns for columns in watched_parts(project) if set(columns) <= set(rows.column_names)]
    return parts_of(rows, by)


def part_figures(truth: Truth, score: Floats, rows: pa.Table, project: Project) -> Iterator[Figure]:
    """Shifts of all rows and of each watched part, and the main metric of each part.

    Args:
        truth: the judged rows.
        score: of each of them.
        rows: the same, with the columns that tell parts apart.
        project: says which are watched.
    """
    parts = parts_of_night(rows, project)
    for of, measure, one in shift_figures(truth, score, parts):
        yield Figure(of, measure, one)
    for of, measure, one in part_metrics(truth, score, parts):
        yield Figure(of, measure, one)
    for of, member in parts.items() if truth.task is not Task.RANKING else ():
        rows_of = int(member.sum())
        yield plain(of, "rows", float(rows_of), rows_of)


def decision_figures(truth: Truth, score: Floats, rows: pa.Table, project: Project) -> Iterator[Figure]:
    """Where rows are acted on: how each group fares beside all other rows, and what a row has cost.

    Args:
        truth: the judged rows, of two classes.
        score: of each of them.
        rows: the same, with their tiers, groups and amounts.
        project: has groups and costs.
    """
    if truth.task is not Task.CLASSIFICATION or TIER not in rows.column_names or not len(rows):
        return
    acts = np.asarray(rows[TIER].is_valid().to_numpy(), np.bool_)
    by = [columns for columns in project.judged_groups() if set(columns) <= set(rows.column_names)]
    for name, member in parts_of(rows, by).items():
        for one in group_figures(truth, score, acts, member, LEVEL, project.fairness.least_rows):
            yield from _of_group(name, one)
    prices = _prices(rows, project)
    if prices is not None:
        matrix = [[0, prices["false_alarm"]], [prices["missed"], 0]]
        label = np.asarray(truth.label) == 1
        for name, decided in ((COST, acts), (COST_IF_NONE, acts & False), (COST_IF_ALL, acts | True)):
            costs = row_costs(label, decided, matrix)
            yield Figure(ALL, name, mean_interval(costs, truth.clusters, truth.weight))


def _of_group(name: str, one: GroupFigure) -> Iterator[Figure]:
    if one.criterion not in CRITERIA:
        return
    if one.value is not None:
        yield Figure(name, one.criterion, one.value)
    if one.against_rest is not None:
        yield Figure(name, f"{one.criterion}{AGAINST_REST}", one.against_rest)


def _prices(rows: pa.Table, project: Project) -> Mapping[str, float | Floats] | None:
    """What a missed row and a false alarm cost, a number or one a row; None: there are no costs, or no amounts."""
    prices = project.costs.prices()
    if prices is None:
        return None
    amounts: dict[str, float | Floats] = {}
    for name, price in zip(("missed", "false_alarm"), prices, strict=True):
        if isinstance(price, str):
            if price not in rows.column_names or rows[price].null_count:
                return None
            amounts[name] = np.asarray(rows[price].to_numpy(), np.float64)
        else:
            amounts[name] = price
    return amounts


def columns_of_parts(project: Project) -> list[str]:
    """The columns of the feature table by which parts are told apart and decisions priced."""
    names = [name for columns in watched_parts(project) for name in columns]
    return list(dict.fromkeys([*names, *project.costs.amounts().values()]))
