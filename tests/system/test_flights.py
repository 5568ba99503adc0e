"""The flights of 2013 as they really are: every figure in the tables is found again in the raw files by other means."""

import math
import shutil
import sys
import uuid
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import functions as F  # noqa: N812
from scipy.stats import rankdata

from nightjar.asof import Facts, join
from nightjar.config import compose_job, make_settings
from nightjar.features import consistency
from nightjar.features.build import build
from nightjar.features.definitions import feature_facts
from nightjar.pipeline.execution import perform
from nightjar.pipeline.sessions import Sessions
from nightjar.pipeline.step import Step
from nightjar.settings.jobs import Job, JobName
from nightjar.settings.project import Project
from nightjar.settings.roots import ROOTS
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff
from oracles import flights as truth
from system import tree

pytestmark = pytest.mark.starts_processes

ROOT = Path(__file__).resolve().parents[2]
# Three months: winter, and the start of summer time. The files hold the whole year all the same.
HISTORY, NIGHT = date(2013, 3, 31), date(2013, 4, 1)
NIGHT_STARTS = datetime(2013, 4, 1, 4, tzinfo=UTC)
FACT = ["carrier", "flight", "origin"]
BOOKKEEPING = {"definitions_hash", "run_date", "run_id"}
# Real data deserves real plans, whatever the session was tuned for.
PLANNING = {
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.adaptive.enabled": "true",
}


@dataclass(frozen=True)
class Built:
    """The project after its history and its first night, features built; nothing is trained."""

    settings: Job

    @property
    def project(self) -> Project:
        return self.settings.project

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.environment.warehouse, "flights")

    def table(self, name: str) -> pd.DataFrame:
        return arrow.read(self.warehouse, name).to_pandas()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """By the command itself, in a process of its own: the Java of the tests is for tiny data."""
    return Built(settings_of(chosen_in(tree.once(tmp_path_factory, "flights", build_in))))


def build_in(folder):
    only = ["project.nights=1", "only=[ingest,build_features]"]
    tree.run([sys.executable, ROOT / "jobs" / "nightly.py", *chosen_in(folder), *only], folder)


def chosen_in(folder, *overrides):
    """The project up to the night, with the landings laid out by aircraft, and joined there."""
    laid_out = [
        "+project.sources.landings.layouts={aircraft:{keys:[tailnum]}}",
        "+environment.placements.aircraft=CO_BUCKETED",
    ]
    dates = ["project_dates=true", f"project.history_until={HISTORY}", f"project.first_night={NIGHT}"]
    places = [f"environment.warehouse={folder}/warehouse", f"environment.home={folder}/home"]
    return ["project=flights", *dates, *laid_out, *places, *overrides]


def settings_of(chosen):
    return make_settings(compose_job(ROOT / "conf", JobName.NIGHTLY, chosen))


def run(spark, settings, night):
    """Ingest and features of a night."""
    warehouse = Warehouse(settings.environment.warehouse, "flights")
    sessions = Sessions(settings.environment, "flights")
    sessions.spark = spark
    before = {name: spark.conf.get(name) for name in PLANNING}
    for name, value in PLANNING.items():
        spark.conf.set(name, value)
    for job in (JobName.INGEST, JobName.BUILD_FEATURES):
        step_settings = ROOTS[job](settings.environment, settings.project, str(night))
        perform(job, Step(uuid.uuid4().hex, night, warehouse, step_settings, sessions, "revision"), "config")
    for name, value in before.items():
        spark.conf.set(name, value)


@pytest.fixture(scope="module")
def features(built):
    return built.table("features")


def same(found, expected):
    """Equal; numbers to 1e-9 of their size. Null is null, however pandas writes it."""
    if pd.isna(found) or pd.isna(expected):
        return bool(pd.isna(found) and pd.isna(expected))
    if isinstance(expected, float | np.floating):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)
    return found == expected


def sampled():
    """Raw flights of all kinds up to the night: any, of the night, and those that are easily got wrong."""
    rows = truth.flights()
    rows = rows[rows["midnight"] <= NIGHT_STARTS]
    kinds = [
        (rows, 50),
        (rows[rows["midnight"] == NIGHT_STARTS], 50),
        (rows[rows["sched_arr_time"] < rows["sched_dep_time"]], 20),  # clocks at arrival are past midnight
        *((rows[rows["dest"] == dest], 6) for dest in truth.ATLANTIC),
        (rows[rows["tailnum"].isna()], 15),
        (rows[rows["midnight"] == rows["midnight"].min()], 10),  # nothing has landed yet
        (rows[(rows["month"] == 1) & (rows["day"] == 2)], 15),
        (rows[(rows["month"] == 3) & rows["day"].isin([10, 11])], 16),  # summer time starts
    ]
    return pd.concat([kind.sample(count, random_state=count) for kind, count in kinds]).drop_duplicates(
        [*FACT, "midnight"]
    )


def test_every_feature_of_200_flights_is_what_the_raw_files_say_was_known(features):
    expected = [truth.features(flight) for _, flight in sampled().iterrows()]
    assert len(expected) >= 190
    assert set(features.columns) - BOOKKEEPING == set(expected[0])
    stored = features.set_index([*FACT, "prediction_time"], drop=False)
    wrong = []
    for row in expected:
        found = stored.loc[[tuple(row[name] for name in [*FACT, "prediction_time"])]]
        assert len(found) == 1
        wrong += [
            (name, found[name].iloc[0], value) for name, value in row.items() if not same(found[name].iloc[0], value)
        ]
    assert wrong == []


def corrected_files(folder, flight, tailnum, minutes):
    """The raw flights until April, for the schedule; for the landings, one was flown by another aircraft, and later."""
    with zipfile.ZipFile(truth.folder() / "flights.csv.zip") as archive:
        raw = pd.read_csv(archive.open(archive.namelist()[0]), dtype=str, keep_default_na=False)
    raw = raw[raw["month"].astype(int) <= truth.LAST_MONTH].copy()
    raw.to_csv(folder / "schedule.csv", index=False)
    named = (raw["carrier"] == flight["carrier"]) & (raw["flight"] == str(flight["flight"]))
    row = raw.index[named & (raw["origin"] == flight["origin"]) & (raw["month"] == "3") & (raw["day"] == "30")]
    assert len(row) == 1
    raw.loc[row, "tailnum"] = tailnum
    raw.loc[row, "arr_delay"] = str(int(flight["arr_delay"]) + minutes)
    raw.to_csv(folder / "landings.csv", index=False)


@pytest.mark.long
def test_a_landing_that_moves_to_another_aircraft_is_seen_tonight_and_not_by_last_nights_rebuild(
    built, spark, tmp_path
):
    shutil.copytree(built.settings.environment.warehouse, tmp_path / "warehouse")
    tonight = NIGHT + timedelta(days=1)
    landed = truth.landings()
    flown = truth.flights()
    busy = flown[flown["midnight"] == NIGHT_STARTS + timedelta(days=1)]["tailnum"].dropna().unique()
    day = landed[(landed["midnight"] == NIGHT_STARTS - timedelta(days=2)) & landed["tailnum"].isin(busy)]
    wrong, right = day.iloc[0], day[day["tailnum"] != day.iloc[0]["tailnum"]].iloc[-1]["tailnum"]
    corrected_files(tmp_path, wrong, right, minutes=37)
    sources = ("schedule", "landings")
    files = [f"project.sources.{name}.file.package=null" for name in sources]
    files += [f"project.sources.{name}.file.path={tmp_path}/{name}.csv" for name in sources]
    settings = settings_of(chosen_in(tmp_path, *files))
    run(spark, settings, tonight)
    warehouse = Warehouse(settings.environment.warehouse, "flights")

    retracted = arrow.read(warehouse, "source_landings__by_tailnum", where=pc.field("retraction")).to_pylist()
    assert [(row["tailnum"], row["event_time"]) for row in retracted] == [(wrong["tailnum"], wrong["landed_at"])]

    starts = NIGHT_STARTS + timedelta(days=1)
    recent = landed[(landed["known_at"] <= starts) & (landed["landed_at"] > truth.midnight(starts, -28))]
    counts = recent["tailnum"].value_counts()
    features = arrow.read(warehouse, "features", where=pc.field("run_date") == tonight).to_pandas()
    found = features.groupby("tailnum")["aircraft__landings_28d"].first()
    assert found[wrong["tailnum"]] == counts[wrong["tailnum"]] - 1
    assert found[right] == counts[right] + 1

    checked = consistency.check(spark, warehouse, settings.project, NIGHT, "check", nights=1, rows=5000)
    assert checked.rows["features rebuilt"] == 970


def test_nights_built_one_by_one_are_those_of_the_range(built, spark, tmp_path):
    shutil.copytree(built.settings.environment.warehouse, tmp_path / "warehouse")
    warehouse = Warehouse(str(tmp_path / "warehouse"), "flights")
    nights = [HISTORY - timedelta(days=n) for n in range(2)]
    for night in reversed(nights):
        before = night - timedelta(days=1)
        build(
            spark, warehouse, built.project, night, night, before, "one by one", built.settings.environment.placements
        )
    told, ranged = (nights_of(where, nights[-1], HISTORY) for where in (warehouse, built.warehouse))
    assert set(told["run_id"].to_pylist()) == {"one by one"}
    assert told.drop_columns(["run_id"]).equals(ranged.drop_columns(["run_id"]))
    assert len(told) > 1_500


def nights_of(warehouse, first, last):
    dates = (pc.field("run_date") >= first) & (pc.field("run_date") <= last)
    rows = arrow.read(warehouse, "features", where=dates)
    return rows.sort_by([(name, "ascending") for name in [*FACT, "prediction_time"]]).combine_chunks()


@pytest.mark.parametrize("group", truth.GROUPS)
def test_the_latest_landing_of_every_row_is_the_right_one_also_where_landings_share_a_minute(features, group):
    """Section 4: event_time, known_at, then the source key decide; the greatest is the latest."""
    keys = truth.GROUPS[group]
    landed = truth.landings().dropna(subset=keys)[[*dict.fromkeys([*keys, "landed_at", "arr_delay"])]]
    landed = landed.assign(shared=landed.duplicated([*keys, "landed_at"], keep=False))
    spine = features.sort_values("prediction_time", kind="stable")
    expected = pd.merge_asof(
        spine[[*keys, "prediction_time"]],
        landed.astype({"landed_at": spine["prediction_time"].dtype}),
        left_on="prediction_time",
        right_on="landed_at",
        by=keys,
    )
    oldest = spine["prediction_time"].map(lambda now: truth.midnight(now, -28)).reset_index(drop=True)
    expected.loc[~(expected["landed_at"] >= oldest), ["arr_delay", "shared"]] = [np.nan, False]
    found = spine[f"{group}__last_delay"].reset_index(drop=True)
    unequal = ~((found == expected["arr_delay"]) | (found.isna() & expected["arr_delay"].isna()))
    assert expected[unequal].to_dict("records") == []
    if group in ("carrier", "origin", "destination"):
        assert expected["shared"].sum() > 500  # ties do decide


def test_the_flights_of_a_day_are_known_at_the_midnight_before_it_also_where_clocks_change(spark):
    settings = settings_of(["project=flights", "run_date=2013-10-01"])
    days = [date(2013, month, day) for month, day in ((3, 10), (3, 11), (7, 1), (11, 3), (11, 4))]
    known = F.expr(settings.project.sources["schedule"].derived["published_at"])
    rows = spark.createDataFrame([(day,) for day in days], "local_day date").select(F.unix_micros(known))
    before = [cutoff(day - timedelta(days=1), settings.project.zone) for day in days]
    assert [row[0] for row in rows.collect()] == [int(one.timestamp() * 1e6) for one in before]


def test_every_row_of_the_schedule_is_there_once(features):
    rows = truth.flights()
    rows = rows[rows["midnight"] <= NIGHT_STARTS]
    expected = set(rows[[*FACT, "midnight"]].itertuples(index=False, name=None))
    found = list(features[[*FACT, "prediction_time"]].itertuples(index=False, name=None))
    assert len(found) == len(expected) == len(rows)
    assert set(found) == expected


def test_every_landing_known_by_the_night_is_stored_at_the_minute_it_landed(built):
    expected = truth.landings()
    expected = expected[expected["known_at"] <= NIGHT_STARTS]
    both = built.table("source_landings").merge(
        expected[[*FACT, "midnight", "landed_at", "arr_delay"]],
        left_on=[*FACT, "prediction_time"],
        right_on=[*FACT, "midnight"],
        how="outer",
    )
    assert len(both) == len(expected)
    for clock in ("event_time", "known_at", "stated_known_at"):
        assert (both[clock] == both["landed_at"]).all()
    assert (both["delay"] == both["arr_delay"]).all()


def test_landings_are_plausible_beside_the_time_in_the_air(built):
    """Wrong zones and wrong midnights show as flights of negative length or of a day."""
    raw = truth.flights()
    landed = built.table("source_landings").merge(
        raw[[*FACT, "midnight", "departure", "dep_delay", "air_time"]],
        left_on=[*FACT, "prediction_time"],
        right_on=[*FACT, "midnight"],
    )
    planned = landed["event_time"] - pd.to_timedelta(landed["delay"], unit="min") - landed["departure"]
    assert planned.min() >= timedelta(minutes=20)
    assert planned.max() <= timedelta(hours=14)
    taken_off = landed["departure"] + pd.to_timedelta(landed["dep_delay"], unit="min")
    on_the_ground = (landed["event_time"] - taken_off) - pd.to_timedelta(landed["air_time"], unit="min")
    assert (on_the_ground.abs() < timedelta(hours=3)).mean() >= 0.999


def test_labels_are_what_happened_and_no_sooner_than_it_did(built):
    """Late is more than 15 minutes; what has not landed three days after its midnight is settled as null."""
    raw = truth.flights().merge(truth.landings()[[*FACT, "midnight", "landed_at", "late"]], how="left")
    settled = raw["midnight"].map(lambda night: truth.midnight(night, 3))
    raw["expected_at"] = raw["landed_at"].where(raw["late"].notna(), settled)
    raw = raw[raw["expected_at"] <= NIGHT_STARTS]
    labels = built.table("labels")
    both = labels.merge(raw, left_on=[*FACT, "prediction_time"], right_on=[*FACT, "midnight"], how="outer")
    assert len(both) == len(labels) == len(raw)
    assert (both["label_known_at"] == both["expected_at"]).all()
    assert ((both["label"] == both["late"]) | (both["label"].isna() & both["late"].isna())).all()
    first_known = np.where(both["expected_at"] <= NIGHT_STARTS - timedelta(days=1), HISTORY, NIGHT)
    assert (both["run_date"] == first_known).all()
    assert 0.2 < labels["label"].mean() < 0.3


def test_counts_are_those_of_the_raw_files(built):
    quality = built.table("quality")
    quality = quality[quality["run_date"] == HISTORY]
    counts = {(row.source, row.check): row.rows for row in quality.itertuples()}
    assert counts["schedule", "read"] == counts["landings", "read"] == 336_776
    assert counts["landings", "not_a_fact"] == 9_430
    assert counts["schedule", "refused"] == counts["landings", "refused"] == 0
    assert counts["weather", "refused"] == counts["weather", "wind_speed: above 150"] == 1
    for source in ("schedule", "landings", "weather"):
        parts = ("not_a_fact", "not_yet_known", "already_stored", "already_refused", "repeated", "refused", "stored")
        assert counts[source, "read"] == sum(counts[source, part] for part in parts)
    (refused,) = built.table("quarantine").to_dict("records")
    assert refused["source"] == "weather"
    assert list(refused["reasons"]) == ["wind_speed: above 150"]
    assert '"wind_speed":"1048' in refused["row"]


def auc(values, late):
    """How well one column alone tells late from not, in either direction; 0.5 is not at all."""
    there = values.notna()
    ranks = rankdata(values[there].astype(float))
    positive = late[there]
    high, low = positive.sum(), (~positive).sum()
    area = (ranks[positive].sum() - high * (high + 1) / 2) / (high * low) if high and low else 0.5
    return max(area, 1 - area)


def as_numbers(column, before, late_before):
    """Categories as their rate of late flights in the months before; missingness is told apart from values."""
    if column.dtype == object:
        return column.map(late_before.groupby(before).mean())
    return column if not isinstance(column.dtype, pd.DatetimeTZDtype) else column.astype("int64").where(column.notna())


def areas_of(features, labels):
    """How well each column by itself, and whether it is null, tells the late flights of March."""
    labelled = features.drop(columns="run_date").merge(
        labels.dropna(subset="label")[[*FACT, "prediction_time", "label"]]
    )
    month = labelled["prediction_time"].dt.tz_convert("America/New_York").dt.month
    before, night = labelled[month < 3], labelled[month == 3]
    assert len(night) > 20_000
    late = night["label"].astype(bool).to_numpy()
    areas = {}
    for name in features.columns.difference([*BOOKKEEPING, "label"]):
        numbers = as_numbers(night[name], before[name], before["label"].astype(float))
        areas[name] = auc(numbers.reset_index(drop=True), late)
        areas[f"{name} is null"] = auc(night[name].isna().reset_index(drop=True), late)
    return areas


def from_the_future(areas):
    """Those that tell late from not as nothing does that is known at midnight."""
    return {name: area for name, area in areas.items() if area >= 0.75}


def test_no_single_column_tells_late_from_not_as_only_the_future_could(built, features):
    areas = areas_of(features, built.table("labels"))
    assert from_the_future(areas) == {}
    assert areas["departure_hour"] > 0.55  # the measure does find what there is to find


def test_a_column_from_the_future_is_found_and_named(built, features):
    """Planted: the flight's own delay, as it is known when it has landed."""
    landed = built.table("source_landings")[[*FACT, "prediction_time", "delay"]]
    found = from_the_future(areas_of(features.merge(landed, how="left"), built.table("labels")))
    assert list(found) == ["delay"]
    assert found["delay"] > 0.95


MOMENT = pd.Timestamp("2013-03-01T05:00Z")


@dataclass(frozen=True)
class Morning:
    """Fifty flights of one day and the facts of all times, as data frames."""

    project: Project
    spine: pa.Table
    facts: dict[str, pd.DataFrame]
    schemas: dict[str, pa.Schema]

    def features(self, facts: dict[str, pd.DataFrame]) -> pd.DataFrame:
        tables = {
            name: pa.Table.from_pandas(frame, self.schemas[name], preserve_index=False) for name, frame in facts.items()
        }
        asked = [
            Facts(
                one.name,
                tables[one.table],
                dict(one.keys),
                "event_time",
                "known_at",
                one.fact_id,
                features=one.features,
            )
            for one in feature_facts(self.project, dict.fromkeys(tables, 0))
        ]
        return join(self.spine, asked).to_pandas()

    def changed(self, **facts: pd.DataFrame) -> set[str]:
        """The columns that differ when tables hold other facts."""
        other = self.features(self.facts | facts)
        equal = (self.usual == other) | (self.usual.isna() & other.isna())
        return set(other.columns[~equal.all()])

    @cached_property
    def usual(self) -> pd.DataFrame:
        """The features from the facts as they are."""
        return self.features(self.facts)


def around_the_moment(facts):
    return facts[(facts["event_time"] - MOMENT).abs() < timedelta(days=32)]


@pytest.fixture(scope="module")
def morning(built, features):
    """Facts from before the longest window to well after the moment: what is older can reach no feature."""
    rows = features[features["prediction_time"] == MOMENT].sample(50, random_state=7)
    columns = ["prediction_time", *built.project.spine.columns()]
    tables = {
        name: arrow.read(built.warehouse, name) for name in ("source_landings", "source_weather", "source_schedule")
    }
    return Morning(
        built.project,
        pa.Table.from_pandas(rows[columns], preserve_index=False),
        {name: around_the_moment(table.to_pandas()) for name, table in tables.items()},
        {name: table.schema for name, table in tables.items()},
    )


def delays(count, random):
    values = random.normal(0, 300, count).round()
    return {"delay": values, "late": values > 15}


def later(count, random):
    """Instants after the moment, the very next microsecond among them."""
    return MOMENT + pd.to_timedelta(np.append(random.integers(1, 20 * 86_400_000_000, count - 1), 1), unit="us")


def rewritten_future(landings, random):
    """The same past, and another future: landings after the moment are dropped, changed or moved; others are added."""
    is_usable = (landings["event_time"] <= MOMENT) & (landings["known_at"] <= MOMENT)
    past, future = landings[is_usable], landings[~is_usable].sample(frac=0.6, random_state=random)
    future = future.assign(**delays(len(future), random))
    moved = future.sample(frac=0.5, random_state=random)
    places = past.sample(len(moved), random_state=random, replace=True)
    for column in ("tailnum", "dest", "route", "carrier_flight"):
        moved[column] = places[column].to_numpy()
    moved["event_time"] = places["event_time"].to_numpy()  # long ago, and found out only now
    moved["known_at"] = later(len(moved), random)
    corrected = past.sample(2000, random_state=random)  # what was known is told otherwise, too late
    corrected = corrected.assign(known_at=later(len(corrected), random), **delays(len(corrected), random))
    foretold = past.sample(2000, random_state=random)  # known already, and not yet happened
    foretold = foretold.assign(flight=foretold["flight"] + 100_000, event_time=later(len(foretold), random))
    kept = future.drop(moved.index)
    return pd.concat([past, kept, moved, corrected, foretold]).sample(frac=1, random_state=random)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_feature_changes_whatever_the_future_holds(morning, seed):
    random = np.random.default_rng(seed)
    weather = morning.facts["source_weather"]
    coming = weather["event_time"] > MOMENT
    stormy = weather.assign(**{name: weather[name].where(~coming, -weather[name]) for name in truth.WEATHER})
    stormy = stormy[~coming | (random.random(len(weather)) < 0.7)]
    recent = weather[~coming & (weather["event_time"] > MOMENT - timedelta(hours=12))]
    corrected = recent.assign(temp=recent["temp"] + 40, precip=5.0, known_at=MOMENT + timedelta(microseconds=1))
    landings = rewritten_future(morning.facts["source_landings"], random)
    assert morning.changed(source_landings=landings, source_weather=pd.concat([stormy, corrected])) == set()


def test_features_do_change_with_what_was_known(morning):
    """The control: the same changes, to facts that are usable up to and including the moment itself."""
    landings, weather = morning.facts["source_landings"], morning.facts["source_weather"]
    recent = landings[(landings["event_time"] < MOMENT) & (landings["event_time"] > MOMENT - timedelta(days=1))]
    corrected = recent.assign(known_at=MOMENT, delay=recent["delay"] + 60, late=True)
    hour = weather[weather["event_time"] == MOMENT].assign(temp=99.0)
    changed = morning.changed(
        source_landings=pd.concat([landings, corrected]),
        source_weather=pd.concat([weather[weather["event_time"] != MOMENT], hour]),
    )
    for group in truth.GROUPS:
        windows = {f"{group}__{measure}_{days}d" for measure in ("late_rate", "mean_delay") for days in (1, 7, 28)}
        assert windows | {f"{group}__last_delay", f"{group}__known_at"} <= changed
        assert not changed & {f"{group}__event_time", f"{group}__landings_1d", f"{group}__landings_28d"}
    assert {name for name in changed if name.startswith("weather")} == {"weather__temp"}


def test_one_deleted_landing_is_missed_by_its_own_flight_only_where_it_stood(morning):
    landings = morning.facts["source_landings"]
    numbers = morning.spine["carrier_flight"].to_pylist()
    mine = landings[landings["carrier_flight"].isin(numbers) & (landings["event_time"] <= MOMENT)]
    last = mine[mine["event_time"] > MOMENT - timedelta(days=1)].iloc[[0]]
    changed = morning.changed(source_landings=landings.drop(last.index))
    assert {"flight_number__landings_1d", "origin__landings_1d", "carrier__landings_28d"} <= changed
    assert not [name for name in changed if name.startswith("weather")]
