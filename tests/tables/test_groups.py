import pyarrow as pa
import pytest

from nightjar.tables.groups import codes

TABLE = pa.table(
    {
        "site": ["north", None, "north", "south", None, ""],
        "crew": pa.chunked_array([pa.array([1, 1, 2]), pa.array([None, 1, 1])]),
    }
)


@pytest.mark.parametrize(
    ("names", "together"),
    [
        ([], [{0, 1, 2, 3, 4, 5}]),
        (["site"], [{0, 2}, {1, 4}, {3}, {5}]),
        (["site", "crew"], [{0}, {1, 4}, {2}, {3}, {5}]),
        (["crew", "site"], [{0}, {1, 4}, {2}, {3}, {5}]),
    ],
)
def test_rows_with_the_same_values_in_all_columns_share_a_number_and_null_is_a_value(names, together):
    numbers = codes(TABLE, names).tolist()
    rows = {number: {row for row, other in enumerate(numbers) if other == number} for number in numbers}
    assert sorted(rows.values(), key=min) == together


def test_no_rows_have_no_numbers():
    assert len(codes(TABLE.slice(0, 0), ["site", "crew"])) == 0
