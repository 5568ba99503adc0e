"""What is said of stored facts in the terminal and on the page alike."""

from collections.abc import Iterator

import pyarrow as pa

from nightjar.profiling.stored.changes import can_judge
from nightjar.profiling.stored.jumps import EARLIER
from nightjar.profiling.stored.profile import SourceProfile
from nightjar.report.formatting import count_noun

_TYPES = {"int64": "long", "int32": "integer", "string": "text", "bool": "boolean", "date32[day]": "date"}


def type_word(kind: pa.DataType) -> str:
    """A column's type for people."""
    if pa.types.is_timestamp(kind):
        return "timestamp"
    return _TYPES.get(str(kind), str(kind))


def nothing(profile: SourceProfile) -> str:
    """Why nothing stands out."""
    unit = profile.periods.unit.value
    if can_judge(profile.facts):
        return "Nothing stands out."
    return f"Nothing is compared: that needs more than {EARLIER} {unit}s with facts."


def omissions(profile: SourceProfile) -> Iterator[str]:
    """Facts that are in no period, periods without facts, and columns that either the table or the settings lack."""
    periods, outside = profile.periods, profile.all_facts - int(profile.facts.sum())
    if outside:
        yield (
            f"{count_noun(outside, 'fact')} outside of this range {'is' if outside == 1 else 'are'} not counted: the "
            f"source has facts of {profile.oldest} to {profile.newest}. See them with since=... and until=..."
        )
    empty = [number for number, facts in enumerate(profile.facts.tolist()) if not facts]
    if empty:
        names = ", ".join(periods.name(number) for number in empty[:EARLIER])
        yield f"{periods.count(len(empty))} without a fact: {names}{', ...' if len(empty) > EARLIER else ''}."
    if profile.not_stored:
        yield (
            f"Not in the table yet: {', '.join(profile.not_stored)}. The settings name them; the next ingest that has "
            "facts adds them, empty for the facts before."
        )
    if profile.not_in_settings:
        yield f"In the table, but no longer in the settings: {', '.join(profile.not_in_settings)}."
