"""Which versions of tables the models in use were trained on."""

import logging
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa

from nightjar.errors import ModelError
from nightjar.registry import data_versions, events, roles, verified
from nightjar.registry.events import Version
from nightjar.settings.environment import Environment
from nightjar.tables import arrow, scan
from nightjar.tables.table import Column, Table

D1 = date(2024, 4, 1)
NOTES = Table("notes", "", (), (), "tests", (Column("x", pa.int64(), "a number"),))


def test_the_champion_s_training_data_is_cited(nights):
    assert data_versions.versions(nights.warehouse, nights.environment) == {"features": {1}, "labels": {1}}


def test_without_a_champion_nothing_is(warehouse, tmp_path):
    assert data_versions.versions(warehouse, Environment(home=str(tmp_path))) == {}


def test_so_is_what_others_with_a_role_were_trained_on_as_long_as_it_is_there(warehouse, tmp_path, monkeypatch, caplog):
    trained_on = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6}
    for number in range(1, 8):
        arrow.append(warehouse, NOTES, [{"x": number}], "run")
    arrow.replace(warehouse, NOTES, [{"x": 0}], {}, "run")
    for number in ("1", "2", "6"):  # 6 is before the champion by its date, and recorded last
        day = D1 if number == "6" else D1 + timedelta(days=int(number))
        events.record(warehouse, "promoted", Version(number, "m", day, {}), "run", events.CHAMPION)
    roles.assign(warehouse, Version("3", "m", D1, {}), roles.CHALLENGER, "a winner", "run", 0.1)
    for number in ("4", "5", "7"):
        roles.assign(warehouse, Version(number, "m", D1, {}), roles.SHADOW, "a look", "run")

    def manifest(_, subject):
        if subject.version == "7":
            raise ModelError("its signature is wrong")
        return SimpleNamespace(data={"notes": trained_on[subject.version]})

    monkeypatch.setattr(verified, "manifest", manifest)
    added = {file.path for file in scan.snapshot(warehouse, "notes", 5).files}
    (only,) = added - {file.path for file in scan.snapshot(warehouse, "notes", 4).files}
    (Path(warehouse.path("notes")) / only).unlink()
    logging.getLogger("nightjar.maintain").addHandler(caplog.handler)
    kept = data_versions.versions(warehouse, Environment(home=str(tmp_path)))
    logging.getLogger("nightjar.maintain").removeHandler(caplog.handler)
    assert kept == {"notes": {1, 2, 3, 4}}
    assert "what version 5 was trained on is gone already" in caplog.text
    assert "what version 7 was trained on is not kept, as it cannot be told: its signature is wrong" in caplog.text
