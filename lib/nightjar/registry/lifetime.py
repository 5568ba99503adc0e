"""The dates that a version carries: when it is to be validated again, and from when on it scores no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from nightjar.errors import ModelError
from nightjar.settings.promotion import Promotion

REVALIDATE_ON, EXPIRES_ON = "revalidate_on", "expires_on"
"""In the evidence: ISO dates; null, or lacking in older events: there is none."""
NOTICE = timedelta(days=14)
"""So long before an expiry it is marked."""


@dataclass(frozen=True)
class Lifetime:
    """The dates of a version; None: it has none.

    Attributes:
        revalidate_on: the first run date on which it is to be validated again.
        expires_on: the first run date that it does not score.
    """

    revalidate_on: date | None
    expires_on: date | None

    def has_expired(self, run_date: date) -> bool:
        """Whether it scores no more on a run date."""
        return self.expires_on is not None and self.expires_on <= run_date

    def is_due(self, run_date: date) -> bool:
        """Whether it is to be validated again, or expires soon."""
        again = self.revalidate_on is not None and self.revalidate_on <= run_date
        return again or (self.expires_on is not None and self.expires_on - NOTICE <= run_date)

    def describe(self, run_date: date) -> str | None:
        """What its dates say on a run date, as a sentence; None where it has none.

        Example:
            >>> Lifetime(date(2024, 3, 1), date(2024, 6, 1)).describe(date(2024, 5, 30))
            'It was to be validated again from 2024-03-01 on, and expires on 2024-06-01, in 2 days.'
        """
        parts = []
        if self.revalidate_on is not None:
            was = "was" if self.revalidate_on <= run_date else "is"
            parts.append(f"{was} to be validated again from {self.revalidate_on} on")
        if self.expires_on is not None:
            days = (self.expires_on - run_date).days
            when = f"expires on {self.expires_on}, in {days} {'day' if days == 1 else 'days'}"
            parts.append(when if days > 0 else f"has expired on {self.expires_on}")
        return f"It {', and '.join(parts)}." if parts else None


def dates_of(settings: Promotion, run_date: date) -> dict[str, str | None]:
    """What the evidence of a version says that is trained for a run date."""
    after = {REVALIDATE_ON: settings.revalidate_after_days, EXPIRES_ON: settings.expires_after_days}
    return {
        name: None if days is None else (run_date + timedelta(days=days)).isoformat() for name, days in after.items()
    }


def lifetime(evidence: Mapping[str, Any]) -> Lifetime:
    """The dates in a version's evidence."""
    return Lifetime(*(_date(evidence.get(name)) for name in (REVALIDATE_ON, EXPIRES_ON)))


def require_unexpired(who: str, evidence: Mapping[str, Any], run_date: date) -> None:
    """Refuse to score by a version that has expired; `who` is its name in the error.

    Raises:
        ModelError: it has.
    """
    dates = lifetime(evidence)
    if dates.has_expired(run_date):
        raise ModelError(
            f"{who} has expired on {dates.expires_on}: it scores no night from that date on. Train a new one "
            f"(jobs/train.py and jobs/promote.py for {run_date}; the nightly does so by itself), or take back one that "
            "has not expired (jobs/promote.py action=rollback version=...). How long versions hold says "
            "project.promotion.expires_after_days, when they are trained."
        )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
