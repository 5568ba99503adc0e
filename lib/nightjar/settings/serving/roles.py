"""Settings of the versions that score beside the champion."""

from nightjar.settings.fields import LengthText
from nightjar.settings.validation import settings


@settings
class Roles:
    """The versions that score beside the champion: a challenger and shadows, which `jobs/promote.py` names.

    Attributes:
        budget: how long each of them may take with the rows of a night, once the champion's are stored. One that takes
            longer is stopped, has no rows of that night, and raises an alert.
    """

    budget: LengthText = "30m"
