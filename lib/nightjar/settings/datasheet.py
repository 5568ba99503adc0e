"""What people should know of a source before they use it."""

import dataclasses
from dataclasses import field

from nightjar.settings.choices import Choice
from nightjar.settings.validation import settings


class Sensitivity(Choice):
    """Who may see the data."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


@settings
class Datasheet:
    """Where the data of a source come from, and what they may be used for.

    It decides nothing: after an edit of it nothing is read or built again. The report of a night and the profile of
    the source show it, and the source's table has the purpose in its comment from the day on which it is made. After
    Gebru et al. (2021), Datasheets for Datasets.

    Attributes:
        owner: who answers for the data, such as a team.
        origin: where they come from, and how they were collected.
        licence: under which they may be used.
        purpose: what they say, and what they were collected for.
        sensitivity: who may see them: `public` everybody, `internal` everybody of the organisation, `confidential`
            those who need them, `restricted` those who are named. None: nobody has said.
        consent_basis: what allows to process them where they are about people, such as a consent or a contract.
        gaps: what is missing or wrong in them, and is known to be.
        contact: where to ask.
    """

    owner: str = ""
    origin: str = ""
    licence: str = ""
    purpose: str = ""
    sensitivity: Sensitivity | None = None
    consent_basis: str = ""
    gaps: list[str] = field(default_factory=list)
    contact: str = ""

    def statements(self) -> dict[str, list[str]]:
        """What is stated, in the order of the fields: key -> its texts."""
        values = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return {name: value if isinstance(value, list) else [str(value)] for name, value in values.items() if value}
