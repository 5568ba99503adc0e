"""One run date, or a range of them, as a text."""

from datetime import date

from nightjar.errors import UsageError
from nightjar.timeline import parse_run_date


def parse_run_dates(text: str) -> tuple[date, date]:
    """Read a run date, or the first and the last of a range, ``YYYY-MM-DD..YYYY-MM-DD``; the first and the last one.

    Raises:
        UsageError: another form, a day that is in no calendar, or a range whose last date comes before its first.

    Example:
        >>> parse_run_dates("2013-10-04..2013-10-31")
        (datetime.date(2013, 10, 4), datetime.date(2013, 10, 31))
    """
    first, _, last = text.partition("..")
    dates = parse_run_date(first), parse_run_date(last or first)
    if ".." in text and (not last or dates[0] > dates[1]):
        raise UsageError(f"run dates {text!r}: expected the first date, two dots and a later one")
    return dates
