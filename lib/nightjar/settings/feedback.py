"""Settings of feedback: acting on a score changes, or hides, the outcome that the next model learns from."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.fields import Real, Share
from nightjar.settings.validation import settings

Part = Annotated[Real, Field(ge=0, lt=1)]


@settings
class Feedback:
    """Which rows nobody acts on, so that outcomes are seen that acting would have changed or hidden.

    Attributes:
        exploration (share): of rows, drawn by the hash of each one's `prediction_id`, that are not acted on whatever
            their score, so that outcomes of high scores are seen, too.
        control (share): of entities, drawn by the hash of their key, that are never acted on.
        without_outcome (share): until exploration has shown outcomes of such rows, a person decides about a new version
            if more than this share of the rows that it would act on has no outcome.
    """

    exploration: Part = 0.0
    control: Part = 0.0
    without_outcome: Share = 0.1

    def issues(self) -> Iterator[Issue]:
        """Whether some rows are left to act on."""
        shares = self.exploration + self.control
        yield from expect(shares < 1, "exploration", self.exploration, f"less than 1 beside control={self.control:g}")

    def draws(self) -> bool:
        """Whether some rows are drawn that nobody acts on."""
        return self.exploration > 0 or self.control > 0
