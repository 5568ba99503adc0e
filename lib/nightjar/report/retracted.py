"""Whether the night was taken back: nothing of it is served then."""

from dataclasses import dataclass
from datetime import datetime

from nightjar.report.reading import PinnedTables
from nightjar.tables.retractions import RETRACT


@dataclass(frozen=True)
class Retracted:
    """Why a night is not served, who decided it, on whose behalf, and when."""

    reason: str
    user: str
    by: str | None
    recorded_at: datetime


def read_retraction(tables: PinnedTables) -> Retracted | None:
    """The night's last decision if it is a retraction."""
    columns = ["action", "reason", "user", "by", "recorded_at"]
    rows = tables.rows("retractions", columns, tables.of_night())
    last = max(rows, key=lambda row: row["recorded_at"], default=None)
    if last is None or last["action"] != RETRACT:
        return None
    return Retracted(str(last["reason"] or ""), str(last["user"] or ""), last["by"], last["recorded_at"])
