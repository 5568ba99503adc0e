#!/usr/bin/env bash
# PyArrow 25.0.1: a filter by an empty list chooses no row of numbers and dates, and is an error for texts.
#
# Versions: Python 3.11, pyarrow 25.0.1.
# Expectation: isin([]) is true of no row, and its opposite of every row, whatever the column's type, as in SQL libraries
#   and pandas; or an empty list is refused for every type. A filter whose values come from data (the rows that failed, the
#   versions that expired) works on the day on which there are none.
# Behaviour: an empty Python list becomes an array of the type null. Of numbers, booleans, dates, times, decimals and even
#   bytes the answer is as expected; texts alone raise ArrowTypeError, as the rows are read and not where the filter is
#   written. With a typed array, pa.array([], pa.string()), texts are as expected, too.
# Output seen: as at the end of this file.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==25.0.1
cat >"$folder/look.py" <<'PY'
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = {
    "int64": [1, 2],
    "double": [1.0, 2.0],
    "bool": [True, False],
    "date32": pa.array([date(2024, 1, 1), date(2024, 1, 2)]),
    "timestamp": [datetime(2024, 1, 1), datetime(2024, 1, 2)],
    "decimal": [Decimal("1.5"), Decimal("2.5")],
    "binary": [b"a", b"b"],
    "string": ["a", "b"],
    "dictionary of texts": pa.array(["a", "b"]).dictionary_encode(),
    "large_string": pa.array(["a", "b"], pa.large_string()),
    "string, typed list": ["a", "b"],
}


def rows(table, condition):
    try:
        return table.filter(condition).num_rows
    except pa.ArrowTypeError:
        return "ArrowTypeError"


for name, values in COLUMNS.items():
    table = pa.table({"x": values})
    nothing = pa.array([], pa.string()) if "typed" in name else []
    print(f"{name}: {rows(table, pc.field('x').isin(nothing))}, not {rows(table, ~pc.field('x').isin(nothing))}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="int64: 0, not 2
double: 0, not 2
bool: 0, not 2
date32: 0, not 2
timestamp: 0, not 2
decimal: 0, not 2
binary: 0, not 2
string: ArrowTypeError, not ArrowTypeError
dictionary of texts: ArrowTypeError, not ArrowTypeError
large_string: ArrowTypeError, not ArrowTypeError
string, typed list: 0, not 2"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
