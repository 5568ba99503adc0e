"""The numbers of a night's page as JSON, for whoever would rather not read HTML."""

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from markupsafe import Markup

from nightjar.report.reading import PinnedTables
from nightjar.report.references import Histogram
from nightjar.report.report_data import NightData
from nightjar.settings.project import Project
from nightjar.timeline import cutoff

FORMAT = 1
"""Raised when a key changes its meaning; new keys do not raise it."""


def text(tables: PinnedTables, project: Project, night: NightData) -> str:
    """What the page of a night says, without its charts; the same tables give the same text.

    Dates are texts; instants are in UTC; what has no value, or is not a finite number, is null.
    """
    about = {
        "format": FORMAT,
        "project": project.name,
        "title": project.title or project.name,
        "run_date": tables.run_date,
        "zone": project.zone,
        "cutoff": cutoff(tables.run_date, project.zone),
        "tables": dict(sorted(tables.versions.items())),
    }
    return json.dumps(plain(about) | plain(night), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def plain(value: Any) -> Any:
    """A value as JSON can say it: dataclasses by their fields, without charts.

    Example:
        >>> plain({"day": date(2013, 10, 3), "value": float("nan"), "rows": (1, 2)})
        {'day': '2013-10-03', 'value': None, 'rows': [1, 2]}
    """
    if isinstance(value, Histogram):
        return None  # the table references has it, with levels that may be sensitive
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    match value:
        case Mapping():
            result: Any = {str(name): plain(one) for name, one in value.items() if not isinstance(one, Markup)}
        case np.generic() | np.ndarray():
            result = plain(value.tolist())
        case float():
            result = value if math.isfinite(value) else None
        case date():
            result = value.isoformat()
        case list() | tuple() | set() | frozenset():
            result = [plain(one) for one in value]
        case Markup():
            result = None
        case _:
            result = value if value is None or isinstance(value, bool | int | str) else str(value)
    return result
