"""The parameters that each estimator takes, for the page of the configuration."""

import dataclasses
from collections.abc import Iterator

from nightjar.errors import LearningError
from nightjar.models.boosters.booster import Booster
from nightjar.models.estimators.estimator_registry import FAMILIES, PENALTIES, import_class, settable_parameters
from nightjar.models.network.options import Options
from nightjar.profiling.yaml import flow
from nightjar.settings.descriptions import describe_fields
from nightjar.settings.model import ENSEMBLES, Estimator, Model
from nightjar.settings.task import Task
from references.wording import prose

TITLES = ("Parameters of estimators", "Parameters of the network")
_OWN = "Nightjar's own"


def sections() -> str:
    """What `parameters` and `space` of a model may hold, and the network's own parameters with their meaning."""
    lines = [
        f"### {TITLES[0]}",
        "",
        "What a model's `parameters` and `space` may hold; of several classes not each has them all.",
        "",
    ]
    lines += ["| estimator | class | parameters |", "|---|---|---|", *_rows(), ""]
    lines += [f"### {TITLES[1]}", "", "| parameter | default | meaning |", "|---|---|---|"]
    described = describe_fields(Options)
    for field in dataclasses.fields(Options):
        default = flow(list(field.default) if isinstance(field.default, tuple) else field.default)
        lines.append(f"| `{field.name}` | `{default}` | {prose(described[field.name].text)} |")
    return "\n".join([*lines, ""])


def _rows() -> Iterator[str]:
    for estimator in Estimator:
        members = ["a", "b"][: 1 if estimator is Estimator.BAGGING else 2] if estimator in ENSEMBLES else []
        if estimator is Estimator.SKLEARN:
            yield f"| `{estimator}` | the one that `class_name` names; many are allowed | those of the class |"
            continue
        penalties = [{"penalty": one} for one in PENALTIES] if estimator is Estimator.LINEAR else [{}]
        models = [Model(estimator, members=members, parameters=one) for one in penalties]
        names = sorted({name for model in models for task in Task for name in _parameters(model, task)})
        shown = ", ".join(dict.fromkeys(map(_show, _classes(estimator)))) or _OWN
        parameters = f"[see below](#{TITLES[1].lower().replace(' ', '-')})" if estimator is Estimator.NETWORK else ""
        yield f"| `{estimator}` | {shown} | {parameters or ', '.join(f'`{name}`' for name in names) or 'none'} |"


def _classes(estimator: Estimator) -> list[type]:
    """The classes that an estimator of its own name is made of; none for those that have no `Family`."""
    if estimator is Estimator.LINEAR:
        return list(map(import_class, PENALTIES.values()))
    return list(map(import_class, FAMILIES[estimator].classes.values())) if estimator in FAMILIES else []


def _show(cls: type) -> str:
    if issubclass(cls, Booster):
        return cls.library
    return f"`{cls.__name__}`" if cls.__module__.startswith("sklearn.") else _OWN


def _parameters(model: Model, task: Task) -> frozenset[str]:
    try:
        return settable_parameters(model, task)
    except LearningError:  # the estimator is of other tasks
        return frozenset()
