#!/usr/bin/env bash
# Polars 2.1.0: join_asof takes tolerance="1d" for 24 hours, rolling takes period="1d" for a day of the calendar.
#
# Versions: Python 3.11, polars 2.1.0, its own time zone data.
# Expectation: one text means one length. The documentation of join_asof's tolerance says, as that of rolling's period
#   does, that 1d is the corresponding time on the next day, which need not be 24 hours away. So at midnight of
#   4 November 2024 in New York, after a day of 25 hours, a fact of the midnight before is within both; at midnight of
#   11 March, after one of 23 hours, a fact of 23:30 two days before is within neither.
# Behaviour: rolling counts days of the zone's calendar, join_asof counts 24 hours for each day, whatever the columns'
#   time zone: the first fact is too old for it and the second is not. A feature built by one is not the feature built by
#   the other in the nights after clocks have changed.
# Output seen:
#   4 November: rolling sums both facts: True, join_asof finds the older: False
#   11 March: rolling sums both facts: False, join_asof finds the older: True
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0
cat >"$folder/look.py" <<'PY'
from datetime import datetime

import polars as pl


def in_new_york(times):
    return pl.DataFrame({"at": times, "one": [1] * len(times)}).with_columns(
        pl.col("at").dt.replace_time_zone("America/New_York")
    )


def look(day, older, midnight):
    closed = in_new_york([older, midnight]).rolling("at", period="1d", closed="both").agg(pl.col("one").sum())
    within = closed["one"][-1] == 2  # a tolerance includes its end
    found = in_new_york([midnight]).join_asof(in_new_york([older]), on="at", tolerance="1d")["one_right"][0] == 1
    print(f"{day}: rolling sums both facts: {within}, join_asof finds the older: {found}")


look("4 November", datetime(2024, 11, 3), datetime(2024, 11, 4))
look("11 March", datetime(2024, 3, 9, 23, 30), datetime(2024, 3, 11))
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="4 November: rolling sums both facts: True, join_asof finds the older: False
11 March: rolling sums both facts: False, join_asof finds the older: True"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
