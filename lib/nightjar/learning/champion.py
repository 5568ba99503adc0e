"""The champion that a new model would replace: as it is stored, or its recipe, fitted anew."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nightjar.errors import ModelError
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitting.candidates import Candidate
from nightjar.models.predictor import Predictor
from nightjar.registry import events, verified
from nightjar.registry.lifetime import lifetime
from nightjar.registry.signature import Subject
from nightjar.registry.tiers import TierThreshold, tier_of_evidence
from nightjar.settings.environment import Environment
from nightjar.settings.fairness import Mitigation
from nightjar.settings.model import Model
from nightjar.settings.validation import dump, validate
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.train")
RECIPE = "recipe"
"""In the evidence: the settings of the candidate that a version is; older events lack it."""


@dataclass(frozen=True, eq=False)
class Champion:
    """The version that scores the nights.

    Attributes:
        version: its number.
        name: of its candidate.
        cutoff: the last instant of the data that it has learned from; None: it cannot be opened here.
        predictor: as it is stored; None: it cannot be opened here.
        recipe: its candidate; None: its training did not record it, or settings were renamed since.
        threshold: from which it acts, that of its last tier; None: none was fitted.
        expired_on: the first run date that it does not score, if that is not later than this one.
    """

    version: str
    name: str
    cutoff: datetime | None
    predictor: Predictor | None
    recipe: Candidate | None
    threshold: TierThreshold | None = None
    expired_on: date | None = None

    @property
    def has_expired(self) -> bool:
        """Whether it scores no more, so that a new model is compared with it, but need not beat it."""
        return self.expired_on is not None

    def __str__(self) -> str:
        """In words, as the evidence names it."""
        expired = "" if self.expired_on is None else f", which has expired on {self.expired_on}"
        return f"champion version {self.version} ({self.name}){expired}"


def recipe_of(candidate: Candidate) -> dict[str, Any]:
    """The settings of a candidate as JSON can hold them."""
    members = {name: dump(model, {}) for name, model in candidate.members.items()}
    mitigation = None if candidate.mitigation is None else dump(candidate.mitigation, {})
    return {"name": candidate.name, "model": dump(candidate.model, {}), "members": members, "mitigation": mitigation}


def open_champion(
    environment: Environment, warehouse: Warehouse, project: str, run_date: date, rows: TrainingSet
) -> Champion | None:
    """The champion of a run date; None where there is none that could score what is built now.

    A baseline that stands in is none: it is among the new model's own baselines.
    """
    version = events.find_champion(warehouse, run_date)
    if version is None or version.is_stand_in:
        return None
    if not version.is_of(rows.definitions_hash, rows.label_hash):
        log.info("champion version %s was trained on other definitions, and is not compared", version.number)
        return None
    subject, cutoff, predictor, recipe = Subject(project, version.model_name, version.number), None, None, None
    try:
        artifact = verified.load(environment, subject)
        cutoff, predictor = datetime.fromisoformat(artifact.manifest.data_cutoff), artifact.open()
    except ModelError as error:
        log.warning("champion version %s cannot be opened, and is compared by its recipe: %s", version.number, error)
    if RECIPE in version.evidence:
        try:
            recipe = candidate_of_recipe(version.evidence[RECIPE])
        except ValueError as error:  # settings have been renamed since
            log.warning("the recipe of champion version %s is no longer valid: %s", version.number, error)
    dates, threshold = lifetime(version.evidence), _last_tier(version.evidence)
    expired_on = dates.expires_on if dates.has_expired(run_date) else None
    return Champion(version.number, version.model_name, cutoff, predictor, recipe, threshold, expired_on)


def columns_of_champion(warehouse: Warehouse, run_date: date) -> tuple[str, ...]:
    """The columns by which the thresholds of a run date's champion differ; none where nobody holds."""
    version = events.find_champion(warehouse, run_date)
    tier = None if version is None else _last_tier(version.evidence)
    return () if tier is None else tier.columns


def candidate_of_recipe(recipe: Mapping[str, Any]) -> Candidate:
    """The candidate of what `recipe_of` has recorded.

    Raises:
        ValueError: its settings are not valid any more.
    """
    members = {name: _model(plain) for name, plain in recipe["members"].items()}
    mitigation = recipe.get("mitigation")
    own = None if mitigation is None else validate(Mitigation, mitigation)
    return Candidate(recipe["name"], _model(recipe["model"]), members, own)


def _last_tier(evidence: Mapping[str, Any]) -> TierThreshold | None:
    thresholds = evidence.get("thresholds")
    if thresholds is None:  # evidence of before tiers has the one of `act`, or null
        thresholds = [evidence["threshold"]] if evidence.get("threshold") else []
    return tier_of_evidence(thresholds[-1]) if thresholds else None


def _model(plain: Mapping[str, Any]) -> Model:
    """Settings of a model; classes that name weights are booleans, which JSON holds as texts."""
    parameters = {
        name: {_CLASSES.get(key, key): weight for key, weight in value.items()} if isinstance(value, dict) else value
        for name, value in plain.get("parameters", {}).items()
    }
    return validate(Model, {**plain, "parameters": parameters})


_CLASSES = {"true": True, "false": False}
