"""The page of stored facts: what it says, and that it needs nothing else."""

import re

import numpy as np
import pyarrow as pa
import pytest

from builders import machines
from nightjar.profiling.stored.changes import changes
from nightjar.profiling.stored.page import render
from nightjar.profiling.stored.profile import Range, profile_source
from nightjar.settings.datasheet import Datasheet
from profiling.stored.tables import hours, store
from report.page import Page


def rendered(warehouse, folder, datasheet, **columns):
    """The page of three weeks with ten facts a day."""
    store(warehouse, {"event_time": hours(21 * 24)} | columns)
    profile = profile_source(warehouse, machines(folder), "readings", Range())
    return render(profile, changes(profile.columns, profile.periods), datasheet, "Machines <that> fail")


@pytest.fixture
def html(warehouse, tmp_path):
    hour = np.arange(21 * 24)
    return rendered(
        warehouse,
        tmp_path,
        Datasheet(owner="the <b>team</b>", gaps=["no nights", "no <i>weekends"]),
        temperature=(pa.float64(), np.where(hour % 24 == 3, None, hour % 24)),
        site=(pa.string(), np.where(hour % 2, "<script>a", "b")),
        lost=(pa.string(), np.where(hour < 18 * 24, "x", None)),
        on=(pa.bool_(), hour % 4 == 0),
        seen=(pa.date32(), [None] * len(hour)),
        **{"<img src=x>": (pa.int64(), hour)},
    )


def test_the_page_says_what_each_column_holds(html):
    page = Page(html)
    columns = {row["Column"]: row for row in page.table("Before: the median")}
    assert columns["temperature"]["Figure"] == "median"
    assert columns["lost ▼ 1"]["Type"] == "text"
    assert "Owner the <b>team</b> Gaps no nights no <i>weekends" in page.text
    assert "lost: No fact has a value since 2024-03-20 (3 days, 61 facts)" in page.text
    assert "2024-03-01 to 2024-03-22, by day of event_time in Europe/Paris" in page.text
    assert page.facts[:4] == [
        "504 facts in 22 days",
        "13 in the last day 2024-03-22",
        "8 columns",
        "1 (look here) thing stands out",
    ]


def test_what_facts_say_is_text_and_nothing_comes_from_outside(html):
    page = Page(html)
    policy = next(attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not {"script", "img", "i", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert all("style" not in attributes for _, attributes in page.tags)
    assert not re.search(r"https?://|url\(|@import", html)
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [attributes["href"] for _, attributes in page.tags if "href" in attributes]
    assert {link[0] for link in links} == {"#"}
    assert {link[1:] for link in links} <= ids


def test_a_single_day_of_a_source_that_states_nothing_has_a_page_too(warehouse, tmp_path):
    store(warehouse, {"event_time": hours(1), "empty": (pa.string(), [None]), "x": (pa.float64(), [np.inf])})
    profile = profile_source(warehouse, machines(tmp_path), "readings", Range())
    text = Page(render(profile, changes(profile.columns, profile.periods), Datasheet(), "Machines")).text
    assert "Its settings state no datasheet" in text
    assert "Nothing is compared: that needs more than 7 days with facts." in text
    assert "0 different texts" not in text
