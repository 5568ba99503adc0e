#!/usr/bin/env bash
# deltalake 1.6.6: a filter on a column with NaN gives other rows on the table than on the same rows in memory.
#
# Versions: Python 3.11, deltalake 1.6.6, pyarrow 25.0.1.
# Expectation: `x > 1` and `x < 10` are false for NaN in pyarrow, so a dataset of the table gives the same rows as the
#   table read whole and filtered; for an engine in which NaN is greater than all numbers, `x > 10` gives the NaN.
# Behaviour: deltalake leaves NaN out of the least and greatest value that it writes into the table's log. Its dataset for
#   pyarrow takes them for a promise about every row: x is at least 1.5, thus `x > 1` holds, the comparison is dropped, and
#   the row of NaN comes along, as it does for `x < 10`. Its QueryBuilder, in which NaN is the greatest value, gives NaN for
#   `x > 1`, but none for `x > 10`, as the file's greatest value is 9.
# Output seen:
#   rows in memory:  x > 1 [1.5, 9.0], x < 10 [1.5, 9.0]
#   pyarrow dataset: x > 1 [1.5, nan, 9.0], x < 10 [1.5, nan, 9.0]
#   QueryBuilder:    x > 1 [1.5, nan, 9.0], x > 10 []
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check deltalake==1.6.6 pyarrow==25.0.1
cat >"$folder/look.py" <<'PY'
import sys

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, QueryBuilder, write_deltalake

rows = pa.table({"x": [1.5, float("nan"), 9.0]})
write_deltalake(sys.argv[1], rows)
table = DeltaTable(sys.argv[1])
filters = {"x > 1": pc.field("x") > 1, "x < 10": pc.field("x") < 10}
memory = ", ".join(f"{text} {rows.filter(one)['x'].to_pylist()}" for text, one in filters.items())
dataset = table.to_pyarrow_dataset()
scanned = ", ".join(f"{text} {dataset.to_table(filter=one)['x'].to_pylist()}" for text, one in filters.items())


def query(condition):
    answer = QueryBuilder().register("t", table).execute(f"SELECT x FROM t WHERE {condition}")
    return f"{condition} {pa.table(answer.read_all())['x'].to_pylist()}"


print(f"rows in memory:  {memory}")
print(f"pyarrow dataset: {scanned}")
print(f"QueryBuilder:    {query('x > 1')}, {query('x > 10')}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" "$folder/table")
echo "$seen"
expected="rows in memory:  x > 1 [1.5, 9.0], x < 10 [1.5, 9.0]
pyarrow dataset: x > 1 [1.5, nan, 9.0], x < 10 [1.5, nan, 9.0]
QueryBuilder:    x > 1 [1.5, nan, 9.0], x > 10 []"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
