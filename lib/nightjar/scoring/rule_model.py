"""A rule of thumb where others have an artifact."""

from dataclasses import dataclass
from typing import TypeAlias

from nightjar.models.fixed_rule import fixed_rule
from nightjar.models.predictor import Predictor
from nightjar.registry.artifacts import Artifact
from nightjar.registry.manifest import Manifest
from nightjar.settings.task import Task


@dataclass(frozen=True)
class RuleModel:
    """A rule of thumb, unopened.

    Attributes:
        manifest: what it reads; nobody has trained it.
        expression: its own.
        otherwise: the score where that is null.
    """

    manifest: Manifest
    expression: str
    otherwise: float

    def open(self) -> Predictor:
        """Its predictor."""
        probability = self.manifest.task == Task.CLASSIFICATION.value
        return fixed_rule(self.expression, self.otherwise, self.manifest.features, probability=probability)


Model: TypeAlias = Artifact | RuleModel
"""What scores a night: it has a manifest, and is opened by the tasks that score."""
