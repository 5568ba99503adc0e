"""What is told of columns: by all their values, as `ingest` reads them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightjar.errors import SourceError
from nightjar.profiling.type_inference import NULL_WORDS
from nightjar.settings.sources import ColumnType
from oracles.profiles import looked_at
from profiling.profiles import look, write_csv, write_parquet

WHOLE = st.integers(-(2**63) - 1, 2**63).map(str) | st.integers(-5, 5).map(str)
FRACTION = st.floats().map(str) | st.integers(-4, 4).map(lambda n: f"{n / 2}") | st.sampled_from(["1.", "+.5", "2.50"])
DAY = st.dates(date(1, 1, 1)).map(date.isoformat)
WORD = st.text(st.sampled_from('ab1.0-:,"\n é'), min_size=1, max_size=6).filter(
    lambda text: text.strip() and text not in NULL_WORDS
)
COLUMN = st.sampled_from((WHOLE, FRACTION, DAY, WORD))
COLUMNS = st.integers(1, 30).flatmap(
    lambda rows: st.lists(
        COLUMN.flatmap(lambda kind: st.lists(kind | st.sampled_from(["", "NA"]), min_size=rows, max_size=rows)),
        min_size=2,
        max_size=3,
    )
)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=COLUMNS)
def test_a_look_agrees_with_one_at_each_value(tmp_path, columns):
    expected = {f"c{place}": looked_at(texts) for place, texts in enumerate(columns)}
    profile = look(write_csv(tmp_path / "facts.csv", {f"c{place}": texts for place, texts in enumerate(columns)}))
    assert profile.rows == len(columns[0])
    for name, wanted in expected.items():
        if wanted["nulls"] == profile.rows:
            assert profile.left_out[name] == "no row has a value"
            continue
        column = profile.columns[name]
        if column.is_doubtful or column.kind is ColumnType.BOOLEAN:  # judged by more than what can be read
            continue
        assert {key: getattr(column, key) for key in wanted if key != "kind"} | {"kind": column.kind.name} == wanted


TEXTS = {
    "zip": (["01234", "98765", "10001"], "STRING", "zeros lead some of its numbers, such as '01234': a code"),
    "code": (["12e4", "1234", "99"], "STRING", "'12e4' among whole numbers looks like a code"),
    "fraction": (["1e3", "0.5", "2"], "DOUBLE", ""),
    "huge": (["9223372036854775808", "1", "2"], "STRING", "looks like a code"),
    "answer": (["NO", "yes", "no"], "BOOLEAN", "its only values are no and yes"),
    "flag": (["0", "1", "1"], "BOOLEAN", "its only values are 0 and 1"),
    "country": (["NO", "SE", "on"], "STRING", ""),
    "mixed": (["1", "no", "0"], "STRING", ""),
    "gone": (["-", "12", "-"], "LONG", ""),
    "day": (["2024-02-29", "2024-03-01", ""], "DATE", ""),
    "no day": (["2023-02-29", "2023-03-01", ""], "STRING", ""),
    "at": (["2024-02-29", "2024-03-01 10:00", ""], "TIMESTAMP", ""),
    "nothing": (["", "", ""], None, "no row has a value"),
}


def test_a_type_is_the_strictest_that_all_values_are_of_unless_they_look_like_names(tmp_path):
    """One word stands for a missing value in all of the file: here it is the dash."""
    profile = look(write_csv(tmp_path / "facts.csv", {name: texts for name, (texts, _, _) in TEXTS.items()}))
    assert profile.null_text == "-"
    message = {name: (column.kind.name, column.reason) for name, column in profile.columns.items()}
    message |= {name: (None, why) for name, why in profile.left_out.items()}
    assert {name: kind for name, (kind, _) in message.items()} == {name: kind for name, (_, kind, _) in TEXTS.items()}
    assert all(why in message[name][1] and bool(why) == bool(message[name][1]) for name, (_, _, why) in TEXTS.items())


def test_a_few_values_of_another_type_are_told(tmp_path):
    texts = [*map(str, range(50)), "12,5"]
    column = look(write_csv(tmp_path / "facts.csv", {"x": texts, "y": texts})).columns["x"]
    assert (column.kind.name, column.is_doubtful) == ("STRING", True)
    assert column.reason == "all but 1 of its 51 different values are a long, not '12,5'"


def test_parquet_has_types_of_its_own_and_columns_that_no_source_can_have(tmp_path):
    at = datetime(2024, 3, 31, 6, tzinfo=UTC)
    profile = look(
        write_parquet(
            tmp_path / "facts.parquet",
            {
                "text": pa.array(["1", "2"]).dictionary_encode(),
                "unsigned": pa.array([2**63 - 1, None], pa.uint64()),
                "too large": pa.array([2**63, 1], pa.uint64()),
                "money": pa.array([Decimal("1.50"), Decimal("-2.00")]),
                "small": pa.array([1.5, float("nan")], pa.float32()),
                "at": pa.array([at, None], pa.timestamp("ns", "Europe/Paris")),
                "finer": pa.array([1, 1000], pa.timestamp("ns")),
                "flag": pa.array([1, 0], pa.int8()),
                "float flag": [0.0, 1.0],
                "bytes": [b"a", b"b"],
                "no text": [b"a", b"\xff"],
                "list": [[1], [2]],
                "a.b": [1, 2],
                "Twin": [1, 2],
                "twin": [1, 2],
                "none": pa.nulls(2),
            },
        )
    )
    assert {name: column.kind.name for name, column in profile.columns.items()} == {
        "text": "LONG", "unsigned": "LONG", "money": "DOUBLE", "small": "DOUBLE", "at": "TIMESTAMP",
        "flag": "BOOLEAN", "float flag": "BOOLEAN", "bytes": "STRING",
    }  # fmt: skip
    assert (profile.columns["at"].zone, profile.columns["at"].least) == ("Europe/Paris", at)
    assert (profile.columns["small"].not_finite, profile.columns["small"].greatest) == (1, 1.5)
    assert {name: why.split(",")[0] for name, why in profile.left_out.items()} == {
        "too large": "some of its values",
        "finer": "some instants are finer than a microsecond",
        "no text": "some of its values",
        "list": "it is list<element: int64>",
        "a.b": "settings cannot name a column with one of . ` ${ ???",
        "Twin": "another column is named so",
        "twin": "another column is named so",
        "none": "no row has a value",
    }


def test_a_folder_of_parquet_is_one_file_with_what_the_names_of_its_folders_say(tmp_path):
    for place, columns in enumerate(({"k": ["a"], "v": [1.5]}, {"k": ["b"]}, {"k": ["c"], "v": [2.5], "w": [True]})):
        (tmp_path / f"code=0{place}").mkdir()
        write_parquet(tmp_path / f"code=0{place}" / "part.parquet", columns)
    profile = look(tmp_path)
    assert profile.columns["code"].examples == ("00", "01", "02")
    assert profile.rows == 3
    assert {name: (one.kind.name, one.nulls) for name, one in profile.columns.items()} == {
        "code": ("STRING", 0), "k": ("STRING", 0), "v": ("DOUBLE", 1), "w": ("BOOLEAN", 2),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a;b\n1;2\n", "look parted by semicolons; its only column would be 'a;b'. Write it with commas"),
        ("a,b\n", "has no row"),
        ("", "is empty, expected a header line"),
        ("a,b\n1,2\n3\n", "cannot be read as rows of 2 fields: .*got 1"),
        ("a,b\n1,\xf6\n", "is not UTF-8: line 2 holds the byte 0xf6"),
    ],
    ids=["semicolons", "no row", "empty", "ragged", "encoding"],
)
def test_a_file_that_ingest_would_refuse_is_refused(tmp_path, text, message):
    (tmp_path / "facts.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(SourceError, match=f"Source facts: .*{message}"):
        look(tmp_path / "facts.csv")


def test_in_parquet_what_is_no_text_and_no_instant_is_told_as_ingest_reads_it(tmp_path):
    column = pa.array([b"a", b"K\xf6ln"], pa.binary())
    unchecked = pa.Array.from_buffers(pa.string(), 2, column.buffers())
    with pytest.raises(SourceError, match=r"Source facts: .*facts.parquet .* the column town is damaged: .*UTF8"):
        look(write_parquet(tmp_path / "facts.parquet", {"town": unchecked}))
    columns = {"us": ("us", 253_402_300_800_000_000), "ms": ("ms", 2**63 - 1)}
    moments = {name: pa.array([0, count], pa.timestamp(unit)) for name, (unit, count) in columns.items()}
    moments["day"] = pa.array([0, 2**31 - 1], pa.int32()).cast(pa.date32())
    left_out = look(write_parquet(tmp_path / "facts.parquet", moments)).left_out
    assert ["years 1 to 9999" in left_out[name] for name in columns] == [True, True]
    assert "no exact values" in left_out["day"]
