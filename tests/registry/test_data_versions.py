"""Which versions of tables the models in use were trained on."""

from datetime import date

from nightjar.registry import data_versions, events
from nightjar.registry.events import CHAMPION, Version
from nightjar.settings.environment import Environment


def test_the_champion_s_training_data_is_cited(nights):
    assert data_versions.versions(nights.warehouse, nights.environment) == {"features": {1}, "labels": {1}}


def test_without_a_champion_nothing_is(warehouse, tmp_path):
    assert data_versions.versions(warehouse, Environment(home=str(tmp_path))) == {}


def test_an_alias_is_held_by_the_last_promotion_whatever_date_it_is_for(warehouse):
    def record(event, number, day, alias):
        events.record(warehouse, event, Version(number, "m", date(2024, 4, day), {}), "run", alias)

    record("registered", "1", 1, None)
    record("promoted", "1", 1, CHAMPION)
    record("promoted", "3", 9, CHAMPION)
    record("promoted", "2", 5, CHAMPION)
    record("refused", "4", 20, CHAMPION)
    record("promoted", "2", 5, "challenger")
    assert [(one.number, one.holds_from.day) for one in events.holders(warehouse)] == [("2", 5), ("3", 9)]
