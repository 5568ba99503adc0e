"""Where facts and spine meet, untold: by size and layout, and the log says which and why."""

import logging
import re
from dataclasses import replace

import pytest

from joins.visits import facts_over, stored, visit
from nightjar.errors import JoinError
from nightjar.joins.planner import plan
from nightjar.settings.environment import Placement
from nightjar.tables import layouts, scan
from nightjar.tables.warehouse import Warehouse

FACTS = [visit(0, number, "a", 1, number, number, 1.5) for number in range(10)]


@pytest.fixture(scope="module")
def placed(spark, tmp_path_factory):
    warehouse = Warehouse(str(tmp_path_factory.mktemp("planned")), "machines")
    return warehouse, stored(spark, warehouse, FACTS)


@pytest.mark.parametrize(
    ("small", "has_layout", "forced", "placement", "logged"),
    [
        (64 << 20, True, None, Placement.BROADCAST, "broadcast, only 10 rows in 0.0 MB"),
        (0, True, None, Placement.CO_BUCKETED, "co-bucketed, 10 rows in 0.0 MB, laid out by world, m, n in 3 buckets"),
        (0, False, None, Placement.SHUFFLE, "shuffle, 10 rows in 0.0 MB, source_visits has no layout by world, m, n"),
        (64 << 20, True, Placement.SHUFFLE, Placement.SHUFFLE, "shuffle, as set, 10 rows in 0.0 MB"),
        (0, True, Placement.BROADCAST, Placement.BROADCAST, "broadcast, as set, 10 rows in 0.0 MB"),
    ],
)
def test_size_and_layout_choose_unless_it_is_told(
    placed, monkeypatch, caplog, small, has_layout, forced, placement, logged
):
    warehouse, version = placed
    monkeypatch.setattr(scan, "SMALL", small)
    facts = facts_over(version) if has_layout else replace(facts_over(version), layout=None)
    with caplog.at_level(logging.INFO, "nightjar.joins"):
        (join_plan,) = plan(warehouse, [facts], {"v": forced} if forced else None)
    assert join_plan.placement is placement
    assert caplog.messages == [f"join v: {logged}"]


@pytest.mark.parametrize("over", [0, 1])
def test_facts_of_up_to_64_mb_are_read_whole_by_every_task(placed, monkeypatch, over):
    warehouse, version = placed
    """Of both, facts and layout, where there is one."""
    assert scan.SMALL == 64 * 1024 * 1024
    facts = facts_over(version)
    sizes = [scan.snapshot(warehouse, "source_visits", version).size]
    sizes.append(scan.snapshot(warehouse, layouts.name("source_visits", facts.layout)).size)
    for size in sizes:
        monkeypatch.setattr(scan, "SMALL", size - over)
        (join_plan,) = plan(warehouse, [facts])
        assert join_plan.placement is (Placement.CO_BUCKETED if over or size < max(sizes) else Placement.BROADCAST)


def test_a_layout_of_another_version_is_not_read(placed, monkeypatch, caplog):
    warehouse, version = placed
    monkeypatch.setattr(scan, "SMALL", 0)
    with caplog.at_level(logging.INFO, "nightjar.joins"):
        (join_plan,) = plan(warehouse, [facts_over(version - 2)])
    assert join_plan.placement is Placement.SHUFFLE
    assert re.search(rf"its layout by world, m, n reflects version {version}, not {version - 2}$", caplog.messages[-1])


def test_a_placement_that_is_told_and_not_possible_is_refused(placed):
    warehouse, version = placed
    facts = replace(facts_over(version), layout=None)
    with pytest.raises(JoinError, match="'v' cannot be joined co-bucketed: source_visits has no layout by world, m, n"):
        plan(warehouse, [facts], {"v": Placement.CO_BUCKETED})
