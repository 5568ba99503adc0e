import csv
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightjar.profiling.columns import profile
from nightjar.profiling.kinds import NULL_WORDS
from nightjar.profiling.reading import opened
from nightjar.settings.sources import ColumnType
from oracles.profiles import looked_at

WHOLE = st.integers(-(2**63) - 1, 2**63).map(str) | st.integers(-5, 5).map(str)
FRACTION = st.floats().map(str) | st.integers(-4, 4).map(lambda n: f"{n / 2}") | st.sampled_from(["1.", "+.5", "2.50"])
DAY = st.dates(date(1, 1, 1)).map(date.isoformat)
WORD = st.text(st.sampled_from('ab1.0-:,"\n é'), min_size=1, max_size=6).filter(
    lambda text: text.strip() and text not in NULL_WORDS
)
KINDS = (WHOLE, FRACTION, DAY, WORD)
COLUMNS = st.integers(1, 30).flatmap(
    lambda rows: st.lists(
        st.sampled_from(KINDS).flatmap(
            lambda kind: st.lists(kind | st.sampled_from(["", "NA"]), min_size=rows, max_size=rows)
        ),
        min_size=2,
        max_size=3,
    )
)


def of_csv(path, columns):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    with opened(str(path), "facts") as raw:
        return profile(raw)


def of_parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    with opened(str(path), "facts") as raw:
        return profile(raw)


def kinds(found):
    return {name: column.kind.name for name, column in found.columns.items()}


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=COLUMNS)
def test_a_look_at_texts_agrees_with_one_at_each_value(tmp_path, columns):
    path = tmp_path / "facts.csv"
    expected = {f"c{place}": looked_at(texts) for place, texts in enumerate(columns)}
    found = of_csv(path, {f"c{place}": texts for place, texts in enumerate(columns)})
    assert found.rows == len(columns[0])
    for name, wanted in expected.items():
        if wanted["nulls"] == found.rows:
            assert found.left_out[name] == "no row has a value"
            continue
        column = found.columns[name]
        seen = {key: getattr(column, key) for key in wanted if key != "kind"} | {"kind": column.kind.name}
        if column.is_doubtful or column.kind is ColumnType.BOOLEAN:  # judged by more than what can be read
            continue
        assert seen == wanted
