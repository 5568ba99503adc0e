"""The lender's raw files, a folder for each day with what it learned that day, and apart from them the truth."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from credit.decisions import Nights, approve
from credit.world import (
    DUE_DAYS,
    HORIZON_DAYS,
    INSTALMENTS,
    UNPAID_DAYS,
    Applicants,
    Applications,
    Booleans,
    Floats,
    Integers,
    World,
    days_between,
    draw_applicants,
    draw_applications,
)
from nightjar.errors import NightjarError

DRIFT_FROM = "drift_from"
STATEMENT = "simulation.json"
"""In the folder: what world its days are of."""


class OtherWorldError(NightjarError):
    """The folder has days of another world."""


def write_days(folder: Path, world: World, until: date, nights: Nights) -> list[date]:
    """Write the days that the folder lacks, up to a day; returns them.

    Args:
        folder: has a folder `day=...` for each day.
        world: what is simulated.
        until: the last day.
        nights: scores that decide who is approved.

    Raises:
        OtherWorldError: the folder has days of another world. Nothing was written.
    """
    _require_same(folder, world)
    missing = [day for day in days_between(world.first, until) if not _place(folder, day).exists()]
    if not missing:
        return []
    wanted, of_day = set(missing), dict[date, pa.Table]()
    applicants = draw_applicants(world)
    incomes, repayments = [], []
    for day in days_between(max(world.first, missing[0] - timedelta(days=HORIZON_DAYS)), missing[-1]):
        applications = draw_applications(world, applicants, day)
        incomes += [_stated(applications), _corrected(applications)]
        repayments.append(_instalments(applications, approve(world, applications, nights)))
        if day in wanted:
            of_day[day] = _applied(applications, applicants)
    by_day = {"incomes": _by_day(incomes), "repayments": _by_day(repayments)}
    for day in missing:
        _write(_place(folder, day), {"applications": of_day[day]} | {name: rows(day) for name, rows in by_day.items()})
    return missing


def write_truth(file: Path, world: World, until: date) -> None:
    """Write what the lender cannot know of the applications up to a day, as one file."""
    applicants = draw_applicants(world)
    days = [_truth(draw_applications(world, applicants, day)) for day in days_between(world.first, until)]
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.concat_tables(days), file)


def read_world(folder: Path) -> World | None:
    """The world whose days a folder has; None: it has none."""
    file = folder / STATEMENT
    if not file.exists():
        return None
    stated = json.loads(file.read_text())
    dates = {name: date.fromisoformat(stated[name]) for name in ("first", DRIFT_FROM) if stated[name] is not None}
    return World(**stated | dates)


def _require_same(folder: Path, world: World) -> None:
    """Refuse another world than the folder's; a drift may begin, or not begin, on a day that is not written yet."""
    stored = read_world(folder) or world
    last = max((one.name.removeprefix("day=") for one in folder.glob("day=*")), default="")
    differing = [name for name in vars(world) if getattr(stored, name) != getattr(world, name)]
    drifts = [str(one.drift_from) for one in (stored, world) if one.drift_from is not None]
    if set(differing) - {DRIFT_FROM} or (differing and min(drifts) <= last):
        there, wanted = (", ".join(f"{name}={getattr(one, name)}" for name in differing) for one in (stored, world))
        raise OtherWorldError(
            f"{folder} has days up to {last} of {there}, but {wanted} is asked for. Name another --folder, or remove "
            "this one together with what nights have made of it. Nothing was written."
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STATEMENT).write_text(json.dumps(asdict(world), default=str, indent=2) + "\n")


def _place(folder: Path, day: date) -> Path:
    return folder / f"day={day}"


def _write(place: Path, tables: Mapping[str, pa.Table]) -> None:
    """All files of a day, or none."""
    unfinished = place.with_name(f"_{place.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name, table in tables.items():
        pq.write_table(table, unfinished / f"{name}.parquet")
    unfinished.rename(place)


def _by_day(tables: Sequence[pa.Table]) -> Callable[[date], pa.Table]:
    """The rows that become known on a day, those of the earliest application first."""
    rows = pa.concat_tables(tables)
    rows = rows.take(np.argsort(rows["reported_on"].to_numpy(), kind="stable"))
    days = rows["reported_on"].to_numpy()

    def of_day(day: date) -> pa.Table:
        begin, end = (int(np.searchsorted(days, np.datetime64(day), side)) for side in ("left", "right"))
        return rows.slice(begin, end - begin)

    return of_day


def _applied(applications: Applications, applicants: Applicants) -> pa.Table:
    """What the lender knows of the applications when their day is over."""
    who = applications.applicant
    return pa.table({
        "application_id": applications.number,
        "applicant_id": who,
        "applied_on": np.full(len(who), np.datetime64(applications.day)),
        "amount": applications.amount,
        "purpose": applications.purpose,
        "channel": applications.channel,
        "employment": applications.employment,
        "stated_income": applications.stated_income,
        "bureau_score": applications.bureau_score,
        "sex": np.where(applicants.is_woman[who], "woman", "man"),
        "age_band": applicants.age_band[who],
    })  # fmt: skip


def _stated(applications: Applications) -> pa.Table:
    """Each income as its applicant states it."""
    everybody = np.arange(len(applications))
    return _incomes(applications, everybody, applications.stated_income, np.zeros_like(everybody))


def _corrected(applications: Applications) -> pa.Table:
    """The true incomes that the lender learns later."""
    chosen = np.flatnonzero(applications.corrected_after)
    return _incomes(applications, chosen, applications.income, applications.corrected_after[chosen])


def _incomes(applications: Applications, chosen: Integers, income: Floats, after: Integers) -> pa.Table:
    columns = {
        **_named(applications, chosen),
        "applied_on": np.full(len(chosen), np.datetime64(applications.day)),
        "reported_on": np.datetime64(applications.day) + after,
        "income": income[chosen],
        "is_verified": after > 0,
    }
    return pa.table(columns)


def _instalments(applications: Applications, approved: Booleans) -> pa.Table:
    """What becomes known of approved loans: an instalment when it is paid, or has been due for too long."""
    late = applications.days_late
    loan, place = np.nonzero((late >= 0) & approved[:, None])
    days_late = late[loan, place]
    is_paid = days_late < UNPAID_DAYS
    settles = ~is_paid | (place == INSTALMENTS - 1)
    columns = {
        **_named(applications, loan),
        "instalment": place + 1,
        "reported_on": np.datetime64(applications.day) + DUE_DAYS * (place + 1) + days_late,
        "days_late": days_late,
        "is_paid": is_paid,
        "outcome": pa.array(applications.outcome[loan], pa.string(), mask=~settles),
    }
    return pa.table(columns)


def _named(applications: Applications, chosen: Integers) -> dict[str, Integers]:
    return {"application_id": applications.number[chosen], "applicant_id": applications.applicant[chosen]}


def _truth(applications: Applications) -> pa.Table:
    """What the lender cannot know, or knows late; the outcome of each loan is that if it were approved."""
    return pa.table({
        "application_id": applications.number,
        "default_probability": applications.default_probability,
        "outcome": applications.outcome,
        "income": applications.income,
        "corrected_after": applications.corrected_after,
        "is_in_planted_slice": applications.is_in_planted_slice,
        "shock": np.full(len(applications), applications.shock),
    })  # fmt: skip
