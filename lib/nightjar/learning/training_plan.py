"""What a training works on, fixed before its search: rows, champion, final period, the folds before it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.metric_report import Truth
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning.analysis.fairness import require_few_groups
from nightjar.learning.analysis.slices import require_slices
from nightjar.learning.champion import Champion, columns_of_champion, open_champion
from nightjar.learning.clusters import clusters_of
from nightjar.learning.data.prices import Prices, read_prices
from nightjar.learning.data.training_set import TrainingSet, read_training_set
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit_sets import make_fit_set, require_fit_sets
from nightjar.learning.leakage import suspect_features
from nightjar.learning.missing_dates import describe_missing_dates
from nightjar.learning.rare_classes import describe_rare_classes
from nightjar.learning.search import proposals
from nightjar.learning.search.checking import require_learnable
from nightjar.learning.search.problem import Problem, require_measurable
from nightjar.learning.splits.folding import Fold, final_period, folds, select_settled
from nightjar.settings.environment import Environment
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.split import SplitKind
from nightjar.settings.task import Task
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.train")


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """The parts of a training that its search does not change.

    Attributes:
        warehouse: where the rows are.
        project: its settings.
        settings: of the search.
        run_date: the training knows what was known at its midnight.
        rows: all rows.
        prices: of wrong decisions in the rows; None: there are none.
        champion: what the winner would replace; None: there is none.
        final: the final period, and the rows before it.
        problem: of the search, on rows before the final period.
        fit_rows: the rows that the registered model is fitted on, those of the final period among them.
        missing_dates: the local dates without rows, in words; None: there are none.
    """

    warehouse: Warehouse
    project: Project
    settings: Search
    run_date: date
    rows: TrainingSet
    prices: Prices | None
    champion: Champion | None
    final: Fold
    problem: Problem
    fit_rows: RowNumbers
    missing_dates: str | None

    @cached_property
    def clusters(self) -> Clusters:
        """Of the final period's rows."""
        return clusters_of(
            self.rows, self.final.test, self.final.start, self.final.end, self.project.label, self.settings
        )

    @cached_property
    def truth(self) -> Truth:
        """Of the final period's rows."""
        test = self.rows.examples(self.final.test)
        return Truth(self.problem.task, test.label, self.clusters, test.query, test.weight, self.problem.standard)

    @property
    def baselines(self) -> list[Candidate]:
        """The candidates that the winner has to beat."""
        return proposals.baselines(self.settings)


def plan_training(
    warehouse: Warehouse, project: Project, settings: Search, run_date: date, environment: Environment
) -> TrainingPlan:
    """Read the rows and split them; what cannot be learned, judged or fitted at the end is refused here.

    Raises:
        LearningError: the settings do not fit the features, or the rows or folds cannot give a metric.
    """
    rows = _read_rows(warehouse, project, settings, run_date)
    prices = read_prices(warehouse, project, rows)
    weighted, mitigation = rows.weight is not None, project.fairness.mitigation
    require_slices(project.analysis, rows)
    require_learnable(settings, rows.columns, project.label.task, weighted=weighted, mitigation=mitigation)
    _log_rows(rows)
    champion = open_champion(environment, warehouse, project.name, run_date, rows)
    final = final_period(rows, settings.split, rows.last_settled, settings.final_days, project.zone)
    missing_dates = describe_missing_dates(rows, final, run_date, project)
    if missing_dates is not None:
        log.info("%s", missing_dates)
    _warn_of_leakage(suspect_features(rows, final.train), project.label.task)
    _log_seen_groups(rows, final)
    problem = make_problem(rows, project, settings, final.start)
    for remark in describe_rare_classes(rows, [*problem.folds, final]):
        log.warning("%s", remark)
    fit_rows = select_settled(rows, run_date, project.zone, settings.split.train_days)
    require_fit_sets(rows, [(final.train, final.start), (fit_rows, run_date)], settings, project.zone)
    return TrainingPlan(
        warehouse, project, settings, run_date, rows, prices, champion, final, problem, fit_rows, missing_dates
    )


def make_problem(rows: TrainingSet, project: Project, settings: Search, before: date) -> Problem:
    """The search's problem: folds of rows before a date, with inner splits as deep as any candidate needs.

    Inner splits are part of `Problem.key`: adding a candidate with deeper ones fits all the others again.

    Raises:
        LearningError: the rows cannot fill them, or the metric is undefined on a fold.
    """
    splits = folds(rows, settings.split, before, project.zone, settings.seed)
    walks = settings.split.kind is SplitKind.WALK_FORWARD  # other folds have test rows of all dates
    starts = [fold.start if walks else before for fold in splits]
    fit_sets = [
        make_fit_set(rows, fold.train, start, settings.inner_depth(), settings, project.zone)
        for fold, start in zip(splits, starts, strict=True)
    ]
    own = project.fairness.mitigation
    mitigation = own if own.is_of_fits() else None
    problem = Problem(rows, splits, fit_sets, project.label.task, settings.seed, standard_of(project), mitigation)
    require_measurable(problem, settings.metric)
    return problem


def _read_rows(warehouse: Warehouse, project: Project, settings: Search, run_date: date) -> TrainingSet:
    of_champion = columns_of_champion(warehouse, run_date)  # without them nobody knows whom it acts on
    stored = arrow.schema(warehouse, "features").names if of_champion else []
    of_parts = [*project.slice_columns(), *project.monitoring.slices]
    rows = read_training_set(
        warehouse,
        project,
        run_date,
        group=settings.split.group,
        query=project.label.query,
        slices=list(dict.fromkeys([*of_parts, *(name for name in of_champion if name in stored)])),
        task=project.label.task,
        unlabelled=settings.self_trains(),
    )
    require_few_groups(rows.slices, project.judged_groups())
    return rows


def _log_rows(rows: TrainingSet) -> None:
    log.info("%s labelled rows, %s to %s, %d features", f"{len(rows.label):,}", *rows.day[[0, -1]], len(rows.columns))
    for share, what in ((rows.null_labels, "null: settled without an outcome"), (rows.acted_on, "of rows acted on")):
        if share > 0:
            log.info("%.1f%% of all known labels are %s, left out", 100 * share, what)


def _warn_of_leakage(suspect: Mapping[str, float], task: Task) -> None:
    measure = "ROC AUC" if task.has_classes else "rank correlation"
    for name, strength in suspect.items():
        log.warning(
            "%s by itself tells the labels with a %s of %.3f: was it known at the prediction time? If not, leave "
            "it out, or say when it is known (known_at of its source)",
            name,
            measure,
            strength,
        )


def _log_seen_groups(rows: TrainingSet, final: Fold) -> None:
    if rows.group is not None:
        seen_share = np.isin(rows.group[final.test], rows.group[final.train]).mean()
        log.info(
            "%.0f%% of the final period's rows are of groups that are trained on, as when served", 100 * seen_share
        )
