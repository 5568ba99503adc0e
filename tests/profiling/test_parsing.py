"""Types are proposed by the rules by which `ingest` reads."""

import pyarrow as pa
import pytest

from nightjar.profiling.parsing import read
from nightjar.settings.sources import ColumnType
from sources.forms import READ, REFUSED


@pytest.mark.parametrize("kind", READ, ids=lambda one: one.name)
def test_a_text_is_read_as_ingest_reads_it(kind):
    """The very texts that test_raw_values.py gives to Spark."""
    expected = READ[kind] | dict.fromkeys(REFUSED[kind].split("|"))
    found = read(pa.array(expected, pa.large_string()), kind).to_pylist()
    assert dict(zip(expected, found, strict=True)) == expected


def test_a_long_of_nineteen_digits_is_read_where_it_is_one():
    texts = pa.array(["9223372036854775807", "9223372036854775808", None, "-9223372036854775808"], pa.large_string())
    assert read(texts, ColumnType.LONG).to_pylist() == [2**63 - 1, None, None, -(2**63)]
