"""The training that a night's triggers call for: the nightly of the next night does it, before it scores."""

from dataclasses import replace
from datetime import date

import pyarrow.compute as pc

from nightjar.errors import UsageError
from nightjar.learning.champion import RECIPE
from nightjar.monitoring.triggers import TRAIN
from nightjar.registry import events
from nightjar.settings.learning import Search
from nightjar.settings.model import Model
from nightjar.settings.monitoring.retraining import RetrainingKind
from nightjar.settings.project import Project
from nightjar.settings.split import SplitKind
from nightjar.settings.validation import validate
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import TRIGGERS
from nightjar.tables.warehouse import Warehouse


def call(warehouse: Warehouse, project: Project, run_date: date) -> str | None:
    """Why a night has to train though a champion holds, in words; None: it has not.

    The last night before it calls for it, where it is declared to be automatic, and nobody has trained since.
    """
    if not project.monitoring.retraining.automatic or not arrow.exists(warehouse, TRIGGERS.name):
        return None
    before = pc.field("run_date") < run_date
    rows = arrow.read(warehouse, TRIGGERS.name, ["run_date", "rule", "decision"], before).to_pylist()
    last = max((row["run_date"] for row in rows), default=None)
    rules = sorted(row["rule"] for row in rows if row["run_date"] == last and row["decision"] == TRAIN)
    if last is None or not rules:
        return None
    registered = events.read(warehouse, pc.field("event") == "registered")
    if any(last < row["holds_from"] <= run_date for row in registered):
        return None
    return f"the night of {last} calls for it, by {', '.join(rules)} (project.monitoring.retraining)"


def is_undecided(warehouse: Warehouse, run_date: date) -> bool:
    """Whether a version was trained for a night, and nobody has decided about it: the run was ended between the two."""
    rows = [row for row in events.read(warehouse) if row["holds_from"] == run_date]
    trained = {row["model_version"] for row in rows if row["event"] == "registered" and row["alias"] is None}
    return bool(trained - {row["model_version"] for row in rows if row["event"] != "registered"})


def search_of(warehouse: Warehouse, project: Project, search: Search, run_date: date) -> Search:
    """The search that a training by triggers makes of a project's own.

    Raises:
        UsageError: a window cannot be slid over folds that are no walk forward.
    """
    settings = project.monitoring.retraining
    if settings.kind is RetrainingKind.SLIDING_WINDOW:
        if search.split.kind is not SplitKind.WALK_FORWARD:
            raise UsageError(
                f"project.monitoring.retraining.kind: sliding_window needs search.split.kind=walk_forward, found "
                f"{search.split.kind}. Nothing was written."
            )
        return replace(search, split=replace(search.split, train_days=settings.window))
    if settings.kind is RetrainingKind.WARM_START:
        return _from_champion(warehouse, search, run_date)
    return search


def _from_champion(warehouse: Warehouse, search: Search, run_date: date) -> Search:
    """The champion's candidate, its members and the baselines; the whole search where its recipe is not on record."""
    champion = events.find_champion(warehouse, run_date)
    recipe = None if champion is None else champion.evidence.get(RECIPE)
    if champion is None or recipe is None or champion.is_stand_in:
        return search
    name = str(recipe["name"]).rpartition("-")[0] or str(recipe["name"])
    baselines = {one: model for one, model in search.candidates.items() if model.baseline}
    members = {one: validate(Model, model) for one, model in recipe["members"].items()}
    own = {name: validate(Model, recipe["model"])}
    return replace(search, candidates=baselines | members | own)
