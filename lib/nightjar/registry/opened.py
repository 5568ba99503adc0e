"""Predictors that this process has opened: each once, however many tasks and nights they score in it."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Protocol

import pyarrow as pa

from nightjar.models.predictor import Predictor
from nightjar.registry.artifacts import Artifact
from nightjar.registry.manifest import to_json

MOST = 8
"""Predictors that are kept: a champion, and those that score beside it."""
MANY_ROWS = 200_000
"""Rows of a table from which on loading what is compiled pays."""


@dataclass(frozen=True, eq=False)
class Opened:
    """An opened predictor, for tables of any size."""

    predictor: Predictor

    def suited_to(self, rows: pa.Table) -> Predictor:
        """The predictor, or one with the same scores to the last bit, which has them sooner of many rows."""
        return self._of_many if len(rows) >= MANY_ROWS else self.predictor

    @cached_property
    def _of_many(self) -> Predictor:
        from nightjar.models.many_rows import for_many_rows  # noqa: PLC0415  (few rows need no other estimators)

        return for_many_rows(self.predictor)


@dataclass(frozen=True)
class _Content:
    """An artifact, known by its manifest, which has the hash of every file."""

    digest: str
    artifact: Artifact = field(compare=False)


class Closed(Protocol):
    """What a predictor can be opened from."""

    def open(self) -> Predictor:
        """The predictor."""


def opened(artifact: Closed) -> Opened:
    """The predictor of a checked artifact: opened by the first call of this process, and then remembered.

    What is no artifact, such as a rule, has no content to know it by, and takes no time to open.

    Raises:
        ModelError: see `Artifact.open`.
    """
    if not isinstance(artifact, Artifact):
        return Opened(artifact.open())
    return _open(_Content(hashlib.sha256(to_json(artifact.manifest)).hexdigest(), artifact))


@lru_cache(maxsize=MOST)
def _open(content: _Content) -> Opened:
    return Opened(content.artifact.open())
