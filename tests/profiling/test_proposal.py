"""What is asked of a file that nobody prepared, and of which dates."""

from datetime import date, timedelta

import pytest

from nightjar.errors import SourceError, UsageError
from nightjar.profiling.configuration import files
from nightjar.profiling.gate_proposals import propose_gates
from nightjar.profiling.label_proposals import HORIZONS, plan_of
from nightjar.profiling.names import stored_names
from nightjar.profiling.terminal import open_checks
from nightjar.settings.task import Task
from profiling.profiles import proposed, write_csv

FIRST = date(2024, 1, 1)


def readings(days=120, machines=("m1", "m2"), every=1, **columns):
    """A row for each machine on every n-th day."""
    rows = [(machine, FIRST + timedelta(days=n)) for n in range(0, days, every) for machine in machines]
    texts = {"machine": [machine for machine, _ in rows], "day": [day.isoformat() for _, day in rows]}
    return texts | {name: [str(value(n)) for n in range(len(rows))] for name, value in columns.items()}


def written(path, columns, *labels, **message):
    return files(proposed(write_csv(path / "facts.csv", columns), *labels, **message))


def test_who_always_has_a_fact_again_is_asked_about_an_amount(tmp_path):
    columns = readings(temperature=lambda n: n % 17 / 2, note=lambda n: f"n{n}")
    project = written(tmp_path, columns)["project/mine.yaml"]
    assert "label:\n  task: regression\n  source: facts\n  keys: {machine: machine}\n  column: temperature" in project
    assert "  horizon: 1d\n  aggregate: mean\n" in project
    series = written(
        tmp_path, readings(machines=("m1",), every=3, temperature=lambda n: n % 17 / 2, series=lambda n: n)
    )
    assert "key: [series_2]" in series["project/mine.yaml"]  # of the name that is free
    assert "  column: temperature\n  horizon: 7d\n  aggregate: mean\n" in series["project/mine.yaml"]
    counted = written(tmp_path, readings())["project/mine.yaml"]
    assert "  column: machine\n  horizon: 1d\n  aggregate: count\n" in counted


def test_who_comes_now_and_then_is_asked_about_again(tmp_path):
    """Half of the customers come every 40 days, and half once."""
    columns = {"customer": [], "day": []}
    for n in range(60):
        days = range(n, 400, 40) if n % 2 else [5 * n]
        columns["customer"] += [f"c{n:03}"] * len(days)
        columns["day"] += [(FIRST + timedelta(days=day)).isoformat() for day in days]
    columns["dollars"] = [f"{n % 9}.50" for n in range(len(columns["day"]))]
    project = written(tmp_path, columns)["project/mine.yaml"]
    assert '  horizon: 30d\n  aggregate: count\n  condition: "value > 0"\n' in project
    dollars = written(tmp_path, columns, "dollars")["project/mine.yaml"]
    assert "  task: regression\n" in dollars
    assert "  column: dollars\n  horizon: 30d\n  aggregate: sum\n" in dollars


def test_a_boolean_is_asked_whether_it_is_true_once_within_the_horizon_that_has_both_answers(tmp_path):
    """A failure each tenth day is certain within a month: a day is asked about."""
    proposal = proposed(
        write_csv(tmp_path / "facts.csv", readings(failed=lambda n: ("no", "yes")[n % 20 == 0])), "failed"
    )
    (question,) = proposal.label_proposals.values()
    assert (question.task, question.column, question.plan.horizon) == (Task.CLASSIFICATION, "failed", 1)
    assert "true once: so it is in 4.6% of the rows" in question.remark.text


@pytest.mark.parametrize(
    ("columns", "label", "message"),
    [
        ({"x": lambda n: n % 3}, "y", r"--label: found 'y', expected one of the columns \['machine', 'day', 'x'\]"),
        (
            {"x": lambda n: f"w{n % 3}"},
            "x",
            "--label: the column x is a string, such as 'w0'; expected a boolean or a num",
        ),
        ({"x": lambda n: ("no", "yes")[n == 0]}, "x", "days x is true once of every active entity, or of none"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, columns, label, message):
    with pytest.raises(UsageError, match=message):
        proposed(write_csv(tmp_path / "facts.csv", readings(**columns)), label)


def test_too_few_dates_are_refused(tmp_path):
    with pytest.raises(SourceError, match="There are 18 days of facts before the nights that are scored, too few"):
        proposed(write_csv(tmp_path / "facts.csv", readings(days=21)))
    assert proposed(write_csv(tmp_path / "facts.csv", readings(days=22))).dates.first_night() == date(2024, 1, 21)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_plan_is_as_large_as_the_dates_allow(horizon):
    plans = [plan_of(horizon, days) for days in range(500)]
    assert all(plan is None or plan.days() <= days for days, plan in enumerate(plans))
    assert all(plan is None or plan.final_days >= 3 * horizon for plan in plans)
    lengths = [0 if plan is None else plan.days() for plan in plans]
    assert lengths == sorted(lengths)
    assert (lengths[10], lengths[499] > 0) == (0, True)


def test_a_few_dates_far_from_all_others_are_no_dates_of_the_project(tmp_path):
    columns = readings(days=600, temperature=lambda n: n % 17)
    columns["day"][0], columns["day"][1] = "1900-01-01", "2099-12-31"
    proposal = proposed(write_csv(tmp_path / "facts.csv", columns))
    assert (proposal.dates.first, proposal.dates.newest) == (date(2024, 1, 2), date(2025, 8, 22))
    assert (
        proposal.dates.remark.text
        == "2 rows lie a year or more before or after all others (1900-01-01 to 2099-12-31): mistakes?"
    )


def test_gates_are_what_the_file_passes_with_room_for_what_comes(tmp_path):
    """Of a few words, of what is never below 0, of names, and of what is there now and then."""
    columns = readings(
        site=lambda n: ("north", "NO")[n % 2],
        amount=lambda n: n % 101,
        degrees=lambda n: n % 7 / 4 - 1,
        note=lambda n: f"n{n}",
        load=lambda n: "" if n % 10 == 0 else 0.003 if n % 2 else 0.001,
        mostly=lambda n: n if n % 10 == 0 else "",
    )
    gates = propose_gates(proposed(write_csv(tmp_path / "facts.csv", columns), "amount"))
    present = {f"{name}_not_null": {"column": name} for name in ("site", "amount", "degrees", "machine")}
    bounds = {"amount": (0, 150), "degrees": (-1.75, 1.25), "load": (0, 0.004), "mostly": (0, 350)}
    expected = present | {
        f"{name}_between": {"column": name, "minimum": low, "maximum": high} for name, (low, high) in bounds.items()
    }
    expected |= {"site_accepted_values": {"column": "site", "values": ["NO", "north"]}}
    expected |= {"load_null_share": {"column": "load"}, "unique_key": {"columns": ["note"]}}
    expected |= {"volume": {}, "freshness": {"max_age": "2d"}}
    assert {
        one.name: {key: value for key, value in one.settings.items() if key != "check"} for one in gates
    } == expected
    observed = {one.name: one.observed for one in gates}
    assert observed["load_between"] == "0.001 to 0.003"
    assert observed["load_null_share"] == "10.0% of the rows have no value"


def test_every_open_question_is_told_with_its_file_its_line_and_its_setting(tmp_path):
    texts = written(tmp_path, readings(temperature=lambda n: n % 17 / 2))
    message = {(one.path, one.setting) for one in open_checks(texts)}
    assert message == {
        ("source/mine/facts.yaml", "key: [machine, day]"),
        ("source/mine/facts.yaml", "known_at: day_over"),
        ("project/mine.yaml", "zone: UTC"),
        ("project/mine.yaml", "key: [machine]"),
        ("project/mine.yaml", "label"),
    }
    for one in open_checks(texts):
        assert texts[one.path].splitlines()[one.line - 1].strip().startswith("# CHECK: ")


@pytest.mark.parametrize("name", ["Mine", "a b", "../mine", "schema", "", "1st", "x" * 64])
def test_a_name_that_no_project_can_have_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match=r"NAME: found .* expected"):
        proposed(write_csv(tmp_path / "facts.csv", readings()), name=name)


def test_names_of_columns_that_nothing_can_be_stored_under_become_others():
    names = ["Order Date", "order_date", "value", "Größe (cm)", "1st", "%", "x", "known_at", "y" * 70]
    assert list(stored_names(names).values()) == [
        "order_date_2", "order_date", "value_2", "grosse_cm", "column_1st", "column", "x", "known_at_2", "y" * 40,
    ]  # fmt: skip
