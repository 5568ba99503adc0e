"""The columns that each expression of a project may use, by its settings alone, and the names of others in it."""

from collections.abc import Iterator, Mapping, Sequence

from nightjar.expressions.references import columns_in
from nightjar.settings.column_names import CLOCKS
from nightjar.settings.hints import hint
from nightjar.settings.project import DERIVED, EXPRESSIONS, LABEL, RULES, Project
from nightjar.settings.serving.experiment import EXPERIMENT
from nightjar.settings.sources import Source

_SERVED = (
    *("prediction_id", "score", "tier", "predicted", "probabilities", "model_version", "model_name", "label", "run_id"),
    *("input_warnings", "unseen_levels", "assignment", "propensity", "served", "fallback", "arm", "arm_propensity"),
    *("role", "raw_score", "abstained", "reasons", "definitions_hash"),
)
"""Columns of `scores`, some of which a project has only with other settings, and what is beside them."""
Usable = Iterator[tuple[str, str, list[str]]]
"""Key path of an expression, its text, and the columns that it may use."""


def unknown_columns(project: Project) -> Iterator[str]:
    """A message for each name in an expression of a project that is no column there.

    Spark will refuse these expressions, too, in the ingest; an expression that is not certain to be wrong is left to
    it. So are names that begin with _: columns of Nightjar's own may be called so.
    """
    for path, sql, columns in usable_columns(project):
        lower = {name.casefold() for name in columns}
        for name in columns_in(sql) or ():
            if name.casefold() not in lower and not name.startswith("_"):
                yield (
                    f"{path}: the expression {sql!r} names {name}, which is no column there{hint(name, columns)}. "
                    f"Columns are {', '.join(columns)}."
                )


def usable_columns(project: Project) -> Usable:
    """Every expression of a project, with the columns that there are where it is computed."""
    for name, source in project.sources.items():
        yield from _of_source(f"project.sources.{name}", source)
    spine, label = project.spine, project.label
    yield from _one_by_one(DERIVED, spine.derived, ["prediction_time", *spine.stored_columns(), "run_date"])
    clocks = [f"{group}__{clock}" for group in project.features for clock in CLOCKS]
    built = ["prediction_time", *spine.columns(), "run_date", *project.joined_names(), *clocks]
    yield from _one_by_one(EXPRESSIONS, project.expressions, built)
    answers = [*project.label_inputs(), "value"]
    yield from _one_by_one(RULES, label.rules, answers)
    if label.condition:
        yield f"{LABEL}.condition", label.condition, answers
    if project.serving.experiment is not None:
        served = dict.fromkeys(
            [*_SERVED, *spine.columns(), "prediction_time", "run_date", *project.feature_names(), *clocks]
        )
        for path, sql in project.serving.experiment.expressions().items():
            yield f"{EXPERIMENT}.{path}", sql, [*served]


def _of_source(path: str, source: Source) -> Usable:
    columns = source.column_names()
    yield from _one_by_one(f"{path}.derived", source.derived, columns[: len(columns) - len(source.derived)])
    for part, sql in source.sql().items():
        if not part.startswith("derived."):
            yield f"{path}.{part}", sql, columns


def _one_by_one(path: str, expressions: Mapping[str, str], columns: Sequence[str]) -> Usable:
    """Expressions each of which may use the ones before it."""
    names = list(expressions)
    for place, (name, sql) in enumerate(expressions.items()):
        yield f"{path}.{name}", sql, [*columns, *names[:place]]
