#!/usr/bin/env bash
# Spark 4.2.0: 24 hours added to an instant are a day of the session's calendar, and no more than 23 hours in spring.
#
# Versions: Python 3.11, Java 17, pyspark 4.2.0.
# Expectation: INTERVAL '1' DAY may be a day of the calendar, as in PostgreSQL, but INTERVAL '24' HOUR is 86,400 seconds:
#   whoever wants exact lengths in a session of a zone that changes its clocks writes hours. And t + 23 hours comes before
#   t + 24 hours.
# Behaviour: an interval of hours is split into whole days and a rest, and days are those of the calendar: at noon before
#   clocks go forward in New York, 24 hours are 82,800 seconds, as many as 23 hours; before they go back, 24 hours are
#   90,000 seconds. A window of RANGE BETWEEN INTERVAL '24' HOUR PRECEDING is as much longer or shorter in the night
#   after. Spark's own timestampadd(HOUR, 24, t) adds 86,400 seconds in the same session.
# Output seen:
#   spring: 23 hours 82800, 24 hours 82800, timestampadd 86400
#   autumn: 23 hours 82800, 24 hours 90000, timestampadd 86400
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cat >"$folder/look.py" <<'PY'
from pyspark.sql import SparkSession

zone = ("spark.sql.session.timeZone", "America/New_York")
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config(*zone).getOrCreate()
for season, noon in {"spring": "2024-03-09 12:00:00", "autumn": "2024-11-02 12:00:00"}.items():
    added = ["t + INTERVAL '23' HOUR", "t + INTERVAL '24' HOUR", "timestampadd(HOUR, 24, t)"]
    lengths = ", ".join(f"unix_timestamp({later}) - unix_timestamp(t)" for later in added)
    (row,) = spark.sql(f"SELECT {lengths} FROM VALUES (TIMESTAMP'{noon}') AS v(t)").collect()
    print("{}: 23 hours {}, 24 hours {}, timestampadd {}".format(season, *row))
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" 2>/dev/null)
echo "$seen"
expected="spring: 23 hours 82800, 24 hours 82800, timestampadd 86400
autumn: 23 hours 82800, 24 hours 90000, timestampadd 86400"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }
