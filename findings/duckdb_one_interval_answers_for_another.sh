#!/usr/bin/env bash
# DuckDB 2.0.0: t - INTERVAL '24 hours' is another instant where t - INTERVAL '1 day' stands in the same query.
#
# Versions: Python 3.11, duckdb 2.0.0 and the extension icu that it comes with.
# Expectation: a column's value does not depend on which other columns are asked for. A day is one of the calendar, 24
#   hours are 24 hours: before midnight of 4 November 2024 in New York, a day of 25 hours, they end at 0:00 and 1:00.
# Behaviour: alone, each is right. Together, both columns have the value of the one that stands first: the intervals of 1
#   day and of 24 hours are equal when compared, and what looks like the same expression twice is computed once. So one
#   query with a window of 1 day and a window of 24 hours gives the same number for both, one of them wrong.
# Output seen:
#   alone: 1 day 2024-11-03 00:00, 24 hours 2024-11-03 01:00
#   together, the day first: 2024-11-03 00:00, 2024-11-03 00:00
#   together, the hours first: 2024-11-03 01:00, 2024-11-03 01:00
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.0
cat >"$folder/look.py" <<'PY'
import duckdb

duckdb.execute("SET TimeZone = 'America/New_York'")
duckdb.execute("CREATE TABLE nights AS SELECT TIMESTAMPTZ '2024-11-04 00:00:00' AS t")


def before(*lengths):
    columns = ", ".join(f"strftime(t - INTERVAL '{length}', '%Y-%m-%d %H:%M')" for length in lengths)
    return duckdb.execute(f"SELECT {columns} FROM nights").fetchone()


print(f"alone: 1 day {before('1 day')[0]}, 24 hours {before('24 hours')[0]}")
print("together, the day first:", ", ".join(before("1 day", "24 hours")))
print("together, the hours first:", ", ".join(before("24 hours", "1 day")))
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="alone: 1 day 2024-11-03 00:00, 24 hours 2024-11-03 01:00
together, the day first: 2024-11-03 00:00, 2024-11-03 00:00
together, the hours first: 2024-11-03 01:00, 2024-11-03 01:00"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
