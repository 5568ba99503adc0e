#!/usr/bin/env bash
# deltalake 1.6.6: rows with long decimals are not found again by their own value.
#
# Versions: Python 3.11, deltalake 1.6.6, pyarrow 25.0.1.
# Expectation: a DECIMAL(18, 2) is exact: a filter for a value that was just written gives the row that has it.
# Behaviour: deltalake writes the least and the greatest decimal of a file into the table's log as numbers of double
#   precision, which have 15 to 17 digits. Where the value has more, the written greatest one lies below or above it. Every
#   reader that skips files by these statistics then skips the file: deltalake's own dataset for pyarrow, its QueryBuilder,
#   and Spark with delta-spark 4.4.0, which reads the same log. A filter that compares with a far value finds the row.
#   A value of 14 digits in the same file is found.
# Output seen:
#   14 digits: pyarrow 1, QueryBuilder 1
#   18 digits: pyarrow 0, QueryBuilder 0, without a filter 1
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check deltalake==1.6.6 pyarrow==25.0.1
cat >"$folder/look.py" <<'PY'
import sys
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, QueryBuilder, write_deltalake

amounts = {"short": Decimal("123456789012.35"), "long": Decimal("1234567890123456.89")}
columns = {name: pa.array([amount], pa.decimal128(18, 2)) for name, amount in amounts.items()}
write_deltalake(sys.argv[1], pa.table(columns))
table = DeltaTable(sys.argv[1])


def count(name):
    dataset = table.to_pyarrow_dataset()
    rows = dataset.to_table(filter=pc.field(name) == columns[name][0]).num_rows
    query = f"SELECT count(*) AS n FROM t WHERE {name} = CAST('{amounts[name]}' AS DECIMAL(18, 2))"
    answer = pa.table(QueryBuilder().register("t", table).execute(query).read_all())
    return f"pyarrow {rows}, QueryBuilder {answer['n'][0].as_py()}"


print(f"14 digits: {count('short')}")
print(f"18 digits: {count('long')}, without a filter {table.to_pyarrow_table().num_rows}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" "$folder/table")
echo "$seen"
expected="14 digits: pyarrow 1, QueryBuilder 1
18 digits: pyarrow 0, QueryBuilder 0, without a filter 1"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
