"""Settings of a canary: a new winner serves some entities before it serves all."""

from collections.abc import Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.fields import Count, Share
from nightjar.settings.validation import settings


@settings
class Canary:
    """How a winner that the evidence promotes serves a growing share of the entities, as challenger, before all.

    Attributes:
        steps (share): of entities that it serves, step by step, such as [0.05, 0.2, 0.5], drawn by their hash: who is
            served by it at one step is at the next. None: a winner becomes champion at once.
        nights (nights): how many each step lasts at least; after the last one it becomes champion.
    """

    steps: list[Share] = field(default_factory=list)
    nights: Count = 7

    def issues(self) -> Iterator[Issue]:
        """Whether the shares grow, and leave some to the champion."""
        grows = all(first < second for first, second in zip(self.steps, self.steps[1:], strict=False))
        yield from expect(
            grows and (not self.steps or self.steps[-1] < 1), "steps", self.steps, "shares that grow, below 1"
        )
