"""How columns are stored: what is worth a dictionary or compression, and that every value comes back."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nightjar.tables import datafiles

ROWS = 20_000
NOISE = np.random.default_rng(7).random(ROWS)


def stored(rows, folder):
    """The one file that the rows become."""
    (written,) = datafiles.write(rows, str(folder), ())
    return pq.ParquetFile(folder / written.path)


def how(file):
    """Column -> whether it is compressed, and whether it has a dictionary."""
    columns = [file.metadata.row_group(0).column(place) for place in range(file.metadata.num_columns)]
    return {one.path_in_schema: (one.compression != "UNCOMPRESSED", one.has_dictionary_page) for one in columns}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(NOISE), (False, False)),
        (pa.array((NOISE * 1e15).astype(np.int64) << 10), (False, False)),
        (pa.array(np.arange(ROWS)), (True, False)),
        (pa.array(NOISE.round(2)), (True, True)),
        (pa.array(NOISE < 0.5), (True, False)),
        (pa.array([f"gate {number % 40}" for number in range(ROWS)]), (True, True)),
        (pa.array([hashlib.sha256(b"%d" % number).hexdigest() for number in range(ROWS)]), (False, False)),
        (pa.array([f"machine {number}" for number in range(ROWS)]), (True, True)),
        (pa.array(NOISE, mask=NOISE < 0.9), (False, False)),
        (pa.array([None] * ROWS, pa.float64()), (False, True)),
    ],
    ids=[
        "noise",
        "noise of integers",
        "counted",
        "few values",
        "booleans",
        "text",
        "hashes",
        "names",
        "noise and nulls",
        "nulls",
    ],
)
def test_a_column_of_numbers_is_stored_plain_where_nothing_else_pays(tmp_path, column, expected):
    file = stored(pa.table({"value": column}), tmp_path)
    assert how(file) == {"value": expected}
    assert file.read().column("value").combine_chunks().equals(column)


def test_a_column_in_pieces_or_out_of_the_middle_of_another_is_judged_like_any(tmp_path):
    pieces = pa.chunked_array([pa.array(NOISE)[100:9_000], pa.array(NOISE)[9_000:], pa.array([], pa.float64())])
    repeated = pa.chunked_array([pa.array(np.repeat([1.5, 2.5, -0.0, np.nan], ROWS))[40_000 : 40_000 + len(pieces)]])
    file = stored(pa.table({"noise": pieces, "few": repeated}), tmp_path)
    assert how(file) == {"noise": (False, False), "few": (True, True)}
    assert file.read().column("noise").combine_chunks().equals(pieces.combine_chunks())


def test_a_table_with_lists_is_stored_whole(tmp_path):
    rows = pa.table({"noise": NOISE, "counts": pa.array([[1, 2], None] * (ROWS // 2), pa.list_(pa.int64()))})
    assert stored(rows, tmp_path).read().equals(rows)


@pytest.mark.parametrize("rows", [0, 1])
def test_a_table_of_hardly_any_rows_is_stored(tmp_path, rows):
    table = pa.table({"value": pa.array(NOISE[:rows]), "at": pa.array(np.arange(rows), pa.timestamp("us", "UTC"))})
    files = datafiles.write(table, str(tmp_path), ())
    assert sum(file.rows for file in files) == rows
    assert all(pq.read_table(tmp_path / file.path).equals(table) for file in files)
