"""Settings of the marker of rows that somebody has acted on."""

from dataclasses import field

from nightjar.settings.validation import settings


@settings
class Acted:
    """Rows whose outcome may be another one because somebody has acted on their score.

    Attributes:
        column: a boolean column of the source: a row was acted on if a fact of its horizon has true there, as known
            when its label is. None: acting changes no outcome, or is not recorded.
        source: of these facts; None: the label's source.
        keys: spine column -> column of that source; empty: the label's keys.
    """

    column: str | None = None
    source: str | None = None
    keys: dict[str, str] = field(default_factory=dict)
