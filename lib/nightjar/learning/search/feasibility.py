"""Checks of a search by settings alone: whether it can be run on what the project will build."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial

from nightjar.errors import LearningError, UsageError
from nightjar.learning.data import row_checks
from nightjar.learning.search.checking import (
    require_candidate,
    require_shared_settings,
    require_unmitigated_or_labelled,
)
from nightjar.models.columns import FeatureColumn
from nightjar.models.estimators.rule_grammar import names_in, parse
from nightjar.settings.column_names import CLOCKS
from nightjar.settings.columns import FeatureType
from nightjar.settings.features import Aggregate, Feature
from nightjar.settings.learning import Search
from nightjar.settings.model import Estimator, Model
from nightjar.settings.project import Project
from nightjar.settings.sources import ColumnType, Source
from nightjar.settings.spine import Spine
from nightjar.settings.split import Split, SplitKind
from nightjar.timeline import parse_run_date

OF_VALUES = (Aggregate.MIN, Aggregate.MAX, Aggregate.FIRST, Aggregate.LAST)
"""Aggregates of the type of their column; the others are numbers."""
NUMBERS = (ColumnType.LONG, ColumnType.DOUBLE, ColumnType.BOOLEAN)
MOST_GUESSED = 6
"""The most columns of a rule whose types are guessed in all combinations; a rule with more is not checked."""


def require_feasible(search: Search, project: Project, run_date: date) -> None:
    """Refuse a search that could not be trained on any rows of the project, before anything is read or built.

    Raises:
        UsageError: there is something of `infeasible`; tells it all.
    """
    problems = list(infeasible(search, project, run_date))
    if problems:
        raise UsageError("\n  ".join(problems) + " Nothing was run.")


def infeasible(search: Search, project: Project, run_date: date) -> Iterator[str]:
    """Why a search could not be trained on any rows of the project.

    A metric that does not judge the label; a candidate that names a missing column or parameter, or does not fit the
    task; more days of folds than the project has, or test periods that are too short for the days of the week that have
    rows. The type of a derived column or an expression is known only when it is built: a candidate is refused for what
    fits neither a number nor a category.
    """
    names, task = project.feature_names(), project.label.task
    clocks = [f"{group}__{clock}" for group in project.features for clock in CLOCKS]
    grouped_by = [*project.spine.columns(), "prediction_time", *names, *clocks]
    types = {name: _type(project, name) for name in names}
    checks = [
        partial(require_shared_settings, search, names, task),
        partial(row_checks.require_columns, grouped_by, search.split.group),
        *(partial(_require_candidate, search, name, types, project) for name in search.candidates),
    ]
    for check in checks:
        try:
            check()
        except LearningError as error:
            yield str(error)
    yield from _lacking_days(search, project, run_date)


def _require_candidate(search: Search, name: str, types: Mapping[str, str | None], project: Project) -> None:
    """Raise LearningError where the candidate fits none of the types that the features may have."""
    require_unmitigated_or_labelled(search, name, project.fairness.mitigation)
    weighs = project.fairness.mitigation.weighs() and not search.candidates[name].baseline
    weighted, errors = weighs or project.spine.sample.by is not None, []
    for guess in _guesses(search, name, types):
        features = [FeatureColumn(column, guess[column]) for column in types]
        try:
            require_candidate(search, name, features, project.label.task, weighted=weighted)
        except LearningError as error:
            errors.append(error)
        else:
            return
    if errors:
        raise errors[0]


def _guesses(search: Search, name: str, types: Mapping[str, str | None]) -> Iterator[dict[str, str]]:
    """Possible types of all features: those known, those that the candidate declares, and guesses for the others."""
    model = search.candidates[name]
    declared: dict[str, str | None] = {}
    for part in (model, *(search.candidates[member] for member in model.members)):
        declared_kinds = {column: preparation.declared() for column, preparation in part.preparation.columns.items()}
        declared |= {
            column: _TYPE_OF_DECLARED[kind] for column, kind in declared_kinds.items() if kind in _TYPE_OF_DECLARED
        }
    kinds = {column: kind or declared.get(column) for column, kind in types.items()}
    assignments: Iterable[Mapping[str, str]] = [
        dict.fromkeys(kinds, "number"),
        dict.fromkeys(kinds, "category"),
    ]
    if model.estimator is Estimator.RULE:
        unknown = [column for column in _names_in_rule(model) if column in kinds and kinds[column] is None]
        combinations = itertools.product(
            ("number", "category"), repeat=len(unknown) if len(unknown) <= MOST_GUESSED else 0
        )
        assignments = (
            [dict(zip(unknown, assignment, strict=False)) for assignment in combinations]
            if len(unknown) <= MOST_GUESSED
            else []
        )
    for assignment in assignments:
        yield {column: kind or assignment.get(column, "number") for column, kind in kinds.items()}


def _names_in_rule(rule: Model) -> list[str]:
    """The names in a rule; none where it cannot be parsed, which `require_candidate` reports."""
    try:
        return names_in(parse(str(rule.parameters.get("expression"))))
    except LearningError:
        return []


_TYPE_OF_DECLARED: Mapping[FeatureType, str] = {FeatureType.NUMBER: "number", FeatureType.TEXT: "category"}
"""A declared category may be either."""


def _type(project: Project, name: str) -> str | None:
    """The type of a feature; None: known only when it is built."""
    if name in project.spine.features:
        return _of_column(project.sources[project.spine.source], name)
    for group, features in project.features.items():
        for label, feature in features.features.items():
            if name in [f"{group}__{one}" for one in feature.names(label)]:
                return _of_feature(project.sources[features.source], feature)
    return None


def _of_feature(source: Source, feature: Feature) -> str | None:
    whole = feature.aggregate is None or feature.aggregate in OF_VALUES
    return _of_column(source, feature.column) if whole else "number"


def _of_column(source: Source, name: str) -> str | None:
    declared = {name: column.type for name, column in source.columns.items()}
    for lookup in source.lookups.values():
        declared |= lookup.types
    kind = None if name in source.derived else declared.get(name)
    return "category" if kind is ColumnType.STRING else "number" if kind in NUMBERS else None


def _lacking_days(search: Search, project: Project, run_date: date) -> Iterator[str]:
    """Whether folds that walk forward would begin before the project's data, or have none to test on."""
    if search.split.kind is not SplitKind.WALK_FORWARD:
        return
    days = (run_date - parse_run_date(project.first_date)).days
    tested = search.split.folds * search.split.test_days + search.final_days
    if days <= tested:
        yield (
            f"search.split.folds={search.split.folds} of test_days={search.split.test_days} and "
            f"search.final_days={search.final_days} are {tested} days, and between project.first_date="
            f"{project.first_date} and run_date={run_date} there are {days}, of which some must be left to train on: "
            "choose fewer or shorter folds, or a later run_date."
        )
    if not any(_each_has_rows(search.split, project.spine, run_date - timedelta(days=n)) for n in range(7)):
        yield (
            f"search.split.test_days={search.split.test_days}: of {search.split.folds} such test periods, one after "
            f"the other, some would have no {project.spine.due_days()}, and the spine has no other rows "
            "(project.spine.weekdays). Choose 7 days or more."
        )


def _each_has_rows(split: Split, spine: Spine, end: date) -> bool:
    """Whether each of the test periods that walk forward to a date has a day of the week with rows."""
    starts = [end - timedelta(days=split.test_days * fold) for fold in range(1, split.folds + 1)]
    return all(spine.due_dates(start, start + timedelta(days=split.test_days - 1)) for start in starts)
