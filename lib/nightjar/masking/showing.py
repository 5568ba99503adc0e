"""Values of rows in words, the same wherever people read them: in reasons, in explanations and in cases."""

from datetime import date, datetime
from math import isnan
from typing import Any

_WHOLE, _LARGE = 1_000, 1e15


def show(value: Any) -> str:
    """A value of a row: four digits of a small number, the whole ones of a large one; instants as they are, in UTC.

    Example:
        >>> [show(value) for value in (None, True, 0.25, 48_200.5, 12_345.678, 48_200, "car")]
        ['missing', 'yes', '0.25', '48,200', '12,346', '48,200', 'car']
        >>> show(date(2024, 4, 1)), show(datetime(2024, 4, 1, 6, 30))
        ('2024-04-01', '2024-04-01 06:30')
    """
    if value is None or (isinstance(value, float) and isnan(value)):
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if _WHOLE <= abs(value) < _LARGE else f"{value:,.4g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:,}" if isinstance(value, int) else str(value)


def show_key(value: Any) -> str:
    """A value that names a row: a whole number in it is no quantity, and its digits stand together.

    Example:
        >>> show_key(1545), show_key("m1")
        ('1545', 'm1')
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else show(value)
