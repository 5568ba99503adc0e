"""The settings of the job review: which cases, and what is done with them."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, Whole
from nightjar.settings.jobs import Job
from nightjar.settings.validation import settings


class ReviewAction(Choice):
    """Look at cases, do something with one, take many out to a file and back, or let people in."""

    LIST = "list"
    SHOW = "show"
    CLAIM = "claim"
    RELEASE = "release"
    DECIDE = "decide"
    UNDO = "undo"
    EXPORT = "export"
    IMPORT = "import"
    ADMIT = "admit"
    SERVE = "serve"


class View(Choice):
    """What is listed: what a person can decide now, cases of one status, overdue ones, or all."""

    TODO = "todo"
    OPEN = "open"
    MINE = "mine"
    CLAIMED = "claimed"
    WAITING = "waiting"
    DECIDED = "decided"
    OVERDUE = "overdue"
    ALL = "all"


REVIEWER = r"[a-z0-9][a-z0-9_.@-]{0,62}"
"""What a reviewer may be called: a name that is harmless in a path, and that no other differs from in case alone."""
OF_CASE = (ReviewAction.SHOW, ReviewAction.CLAIM, ReviewAction.RELEASE, ReviewAction.DECIDE, ReviewAction.UNDO)
OF_PERSON = (*OF_CASE[1:], ReviewAction.IMPORT, ReviewAction.ADMIT)


@settings
class Review(Job):
    """The predictions that people look at: lists, claims and decides them, exports and imports CSV, serves the page.

    The run date is the last night whose predictions are looked at; without one it is the last that was scored.

    Attributes:
        action: `list` prints cases; `show` prints one with its reasons and history; `claim` keeps others off a case,
            `release` gives it back; `decide` records a decision, and `undo` takes one's own back; `export` writes the
            listed cases to a CSV file, and `import` takes it back, filled in with decisions, all or none; `admit` makes
            a reviewer a token for the page; `serve` serves the page of reviewers, until it is interrupted.
        case: which one: its prediction_id, or how that begins.
        decision: for `decide`: one of `project.serving.review.decisions`.
        reason: why; an override needs one.
        by: who acts, by the name that a token has; or whose view is listed.
        status: which are listed: `todo`, what that person can decide now; `open`, `mine`, `claimed` by others,
            `waiting` for a second look, `decided`, `overdue`, or `all`.
        tier: only cases of this tier.
        text: only cases whose key or id contains this.
        limit (cases): how many are printed.
        file: the CSV file that is written, or taken back.
        port (number): where the page is served on 127.0.0.1; 0: any free one.
        origin: the page's address for browsers, where a proxy with TLS stands before it, such as
            `https://reviews.example.org`. None: `http://127.0.0.1:PORT`.
    """

    action: ReviewAction = ReviewAction.LIST
    case: Annotated[str, Field(pattern="^[0-9a-f]{8,64}$")] | None = None
    decision: str | None = None
    reason: str | None = None
    by: Annotated[str, Field(pattern=f"^{REVIEWER}$")] | None = None
    status: View = View.TODO
    tier: str | None = None
    text: str | None = None
    limit: Count = 20
    file: str | None = None
    port: Annotated[Whole, Field(ge=0, le=65_535)] = 8421
    origin: Annotated[str, Field(pattern=r"^https?://[^/?#@\s]+$")] | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether the action has what it needs, and nothing that it would not look at."""
        yield from self._placement_issues()
        if self.run_date is not None:
            yield from self._run_date_issues()
        review, action = self.project.serving.review, f"with action={self.action}"
        expected = "decisions: without any there is nothing to review"
        yield from expect(review.is_on, "project.serving.review.decisions", [], expected)
        of_files = self.action in (ReviewAction.EXPORT, ReviewAction.IMPORT)
        decides = self.action is ReviewAction.DECIDE
        needed = {"case": self.action in OF_CASE, "file": of_files, "decision": decides}
        for name, is_needed in needed.items():
            value = getattr(self, name)
            fits = bool(value and value.strip()) if is_needed else value is None
            yield from expect(fits, name, value, f"{'a text' if is_needed else 'none'} {action}")
        has_person = self.action not in OF_PERSON or self.by is not None
        yield from expect(has_person, "by", self.by, f"a name {action}")
        has_why = self.reason is None or self.action in (ReviewAction.DECIDE, ReviewAction.UNDO)
        yield from expect(has_why, "reason", self.reason, f"none {action}")
        yield from expect_one_of("decision", [self.decision] if self.decision else [], review.decisions, "decisions")
        yield from expect_one_of("tier", [self.tier] if self.tier else [], review.tiers, "tiers that are reviewed")
