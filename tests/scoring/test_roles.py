"""Who serves a night, and who scores it beside: registered versions on stored features, each with its own failing."""

import hashlib
import math
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from shutil import copytree
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import builders
from builders import rows_of
from nightjar.errors import LeaseError, MachineError, ModelError, TableError
from nightjar.models.columns import FeatureColumn
from nightjar.models.fixed_rule import fixed_rule
from nightjar.models.predictor import Predictor
from nightjar.registry import events, keys, lookup, roles, tracking, verified
from nightjar.registry.events import Version
from nightjar.registry.roles import CHALLENGER, SHADOW
from nightjar.registry.signature import Subject
from nightjar.registry.tiers import TierThreshold
from nightjar.scoring import arms, beside
from nightjar.scoring import score as scoring
from nightjar.scoring.budget import within
from nightjar.scoring.chain import Link, first_that_can
from nightjar.scoring.night import Night
from nightjar.scoring.score import score
from nightjar.scoring.stopping import stop_serving
from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.fallback import Fallback, Substitute
from nightjar.settings.serving.roles import Roles
from nightjar.settings.serving.serving import Serving
from nightjar.settings.tiers import Tier, TierKind
from nightjar.tables import arrow

D1 = date(2024, 4, 1)
LOAD = FeatureColumn("load", "number")
RULES = {
    "2": fixed_rule("load / 100", 0.5, [LOAD], probability=True),
    "3": fixed_rule("load / 200", 0.5, [LOAD], probability=True),
    "nan": fixed_rule("load / 0", math.nan, [LOAD], probability=True),
    "some_nan": fixed_rule("0.9 if load > 50 else load / 0", math.nan, [LOAD], probability=True),
    "other_columns": fixed_rule("speed", 0.5, [FeatureColumn("speed", "number")], probability=True),
}
RAISING = Predictor((), RULES["2"].preparation, RULES["2"].estimator)
"""It reads no feature, and its preparation looks for one."""
COLUMNS = ("prediction_id", "role", "model_version", "score", "served", "fallback")


class Stage:
    """A warehouse with a champion, in which versions are registered and nights scored again."""

    def __init__(self, copied, tmp_path, spark):
        home = tmp_path / "home"
        copytree(copied.environment.home, home)
        self.warehouse, self.project, self.spark = copied.warehouse, copied.project, spark
        self.environment = replace(copied.environment, home=str(home))
        champion = events.champion(self.warehouse, D1)
        self.champion = champion
        self.manifest = verified.load(
            self.environment, Subject("machines", champion.model_name, champion.number)
        ).manifest

    def register(self, name, predictor=None, day=D1, **changes):
        """A version of its own, signed as training signs."""
        home = Path(self.environment.home)
        manifest = replace(self.manifest, model_name=name, estimator="rule", parameters={}, **changes)
        with tracking.record_search(home, "machines", name, {"of": "test"}, lambda _: False, "1") as run:
            number = tracking.register(run, {}, predictor or RULES[name], manifest, keys.signing_key(home))
        version = Version(number, name, day, dict(self.champion.evidence))
        events.record(self.warehouse, "registered", version, "test")
        return version

    def challenge(self, version, share=0.0):
        roles.assign(self.warehouse, version, CHALLENGER, "a test", "test", share)

    def serving(self, **options):
        self.project = replace(self.project, serving=Serving(**options))

    def score(self, run_date=D1):
        return score(
            lambda: self.spark, self.warehouse, self.project, run_date, "again", self.environment, retrospective=False
        )

    def rows(self, *columns, day=D1):
        """Sorted rows of a night, of these columns."""
        table = arrow.read(self.warehouse, "scores", list(columns or COLUMNS), pc.field("run_date") == day)
        return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)

    def of_role(self, role, *columns):
        return [row[1:] for row in self.rows("role", *columns) if row[0] == role]

    def alerts(self):
        if not arrow.exists(self.warehouse, "alerts"):
            return []
        return [(row["kind"], row["subject"], row["severity"], row["message"]) for row in self.alert_rows()]

    def alert_rows(self):
        return arrow.read(self.warehouse, "alerts").sort_by("changed_at").to_pylist()

    def features(self):
        return arrow.read(self.warehouse, "features", where=pc.field("run_date") == D1)


@pytest.fixture
def stage(copied, tmp_path, spark):
    return Stage(copied, tmp_path, spark)


def served_once(stage):
    """The version that serves each prediction; none is served twice or by nobody."""
    served = [
        (row, version)
        for row, version, is_served in stage.rows("prediction_id", "model_version", "served")
        if is_served
    ]
    assert len(dict(served)) == len(served) == 5
    return dict(served)


CHAMPIONS = ("prediction_id", "machine", "score", "tier", "model_version", "model_name", "served", "fallback")


def test_a_challenger_and_shadows_score_the_same_rows_into_their_own_roles_and_alter_none_of_the_champions(stage):
    before = stage.of_role("champion", *CHAMPIONS)
    two, three = stage.register("2"), stage.register("3")
    stage.challenge(two)
    roles.assign(stage.warehouse, three, SHADOW, "a test", "test")
    outcome = stage.score()
    assert stage.of_role("champion", *CHAMPIONS) == before
    loads = {row["machine"]: row["load"] for row in stage.features().to_pylist()}
    own = stage.of_role("challenger", "machine", "score", "served", "model_version")
    assert own == [(machine, load / 100, False, two.number) for machine, load in sorted(loads.items())]
    shadow = f"shadow_{three.number}"
    assert stage.of_role(shadow, "machine", "score") == [(m, load / 200) for m, load in sorted(loads.items())]
    assert outcome.rows == {"scores": 5, "scores of challenger": 5, f"scores of {shadow}": 5}
    assert stage.alerts() == []

    roles.withdraw(stage.warehouse, three, SHADOW, "enough", {}, "test")
    stage.score()  # replaces all that the night had
    assert Counter(role for (role,) in stage.rows("role")) == {"champion": 5, "challenger": 5}
    assert stage.of_role("champion", *CHAMPIONS) == before


def arm_of(stage, machine, number, share):
    """The obvious version: the hash of the entity, which is that of a key without a time, and of the challenger."""
    parts = [b"machines", b"machine", b"string", repr(machine).encode()]
    entity = hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()
    drawn = int.from_bytes(hashlib.sha256(f"challenger {number} {entity}".encode()).digest()[:6]) / 2**48
    return "challenger" if drawn < share else "champion"


def test_a_canary_serves_its_share_of_the_entities_and_a_greater_one_serves_those_and_more(stage):
    stage.serving(canary=Canary(steps=[0.3, 0.6]))
    version = stage.register("2")
    stage.challenge(version, 0.3)
    seen = []
    for share in (0.3, 0.6):
        stage.score()
        by = served_once(stage)
        arms = {m: arm_of(stage, m, version.number, share) for m in builders.MACHINES}
        for role in ("champion", "challenger"):
            rows = stage.of_role(role, "machine", "arm", "arm_propensity", "served")
            chances = {"challenger": share, "champion": 1 - share}
            assert rows == [(m, arms[m], chances[arms[m]], arms[m] == role) for m in builders.MACHINES]
        seen.append({one for one, number in by.items() if number == version.number})
        roles.share(stage.warehouse, version, 0.6, "next", {}, "test")
    assert seen[0] < seen[1]
    assert len(seen[1]) in (1, 2, 3, 4)


def test_a_canary_serves_also_where_a_tier_has_so_many_rows_a_night(stage):
    stage.serving(canary=Canary(steps=[0.6]))
    stage.project = replace(stage.project, tiers={"review": Tier(TierKind.TOP, at_most=1)})
    stage.challenge(stage.register("2", thresholds=(TierThreshold("review", 0.5, at_most=1),)), 0.6)
    stage.score()
    assert stage.alerts() == []
    served_once(stage)
    rows = stage.of_role("challenger", "score", "tier", "served")
    highest = max(score for score, _, served in rows if served)
    assert [score for score, tier, served in rows if served and tier == "review"] == [highest]


def failing(stage, how, monkeypatch):
    """A challenger that fails: in its scores, by an error of its own, by its time, or before it scores anything."""
    if how == "raises":
        return stage.register("raising", RAISING)
    if how == "hangs":
        version, real = stage.register("2"), beside.score_rows

        def hang(*arguments):
            make = real(*arguments)

            def never(batches):
                time.sleep(600)
                yield from make(batches)

            return never

        monkeypatch.setattr(beside, "score_rows", hang)
        return version
    if how == "altered":
        version = stage.register("2")
        path = lookup.fetch(Path(stage.environment.home), "machines", version.number) / "MLmodel"
        path.write_bytes(path.read_bytes() + b"\n")
        return version
    return stage.register(how)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("nan", "are not finite"),
        ("raises", "KeyError"),
        ("hangs", "has taken longer than its budget of 5s, and was stopped"),
        ("altered", "MLmodel was altered"),
        ("other_columns", "does not fit table features: missing: speed"),
    ],
)
def test_a_challenger_that_fails_leaves_the_champions_rows_as_they_are_and_an_alert(stage, how, why, monkeypatch):
    stage.serving(canary=Canary(steps=[0.999]), roles=Roles(budget="5s" if how == "hangs" else "10m"))
    before = stage.of_role("champion", *CHAMPIONS)
    version = failing(stage, how, monkeypatch)
    stage.challenge(version, 0.999)
    started = time.monotonic()
    stage.score()
    assert time.monotonic() - started < 300
    assert stage.of_role("champion", *CHAMPIONS) == before
    assert set(served_once(stage).values()) == {"1"}
    assert stage.of_role("challenger", "machine") == []
    ((kind, subject, severity, message),) = stage.alerts()
    assert (kind, subject, severity) == ("role_failed", "challenger", "warning")
    assert f"Challenger version {version.number} has no scores of {D1}; the champion serves all" in message
    assert why in message
    monkeypatch.undo()
    if how == "hangs":  # the session is whole
        stage.serving(canary=Canary(steps=[0.999]))
        stage.score()
        assert len(stage.of_role("challenger", "machine")) == 5


def test_rows_that_a_challenger_cannot_score_are_served_by_the_champion_one_by_one(stage):
    stage.serving(canary=Canary(steps=[0.999]))
    version = stage.register("some_nan")
    stage.challenge(version, 0.999)
    stage.score()
    loads = {row["machine"]: row["load"] for row in stage.features().to_pylist()}
    beyond = sorted(machine for machine, load in loads.items() if load > 50)
    assert 0 < len(beyond) < 5
    assert stage.of_role("challenger", "machine", "score", "served") == [(machine, 0.9, True) for machine in beyond]
    served = dict(stage.of_role("champion", "machine", "served"))
    assert served == {machine: machine not in beyond for machine in builders.MACHINES}
    served_once(stage)
    ((kind, _, _, message),) = stage.alerts()
    assert kind == "unscored_rows"
    assert f"could not score {5 - len(beyond)} of 5 rows of {D1}, which the champion serves" in message


CHAIN = Fallback(chain=[Substitute.PREVIOUS_CHAMPION, Substitute.RULE], rule="load / 1000", otherwise=0.25, tier="act")


def test_the_chain_goes_on_to_the_champion_before_and_then_to_the_rule_and_each_time_is_marked_and_an_alert(stage):
    stage.serving(fallback=CHAIN)
    stage.score()
    assert stage.alerts() == []
    assert {row[-1] for row in stage.rows()} == {None}
    home, broken = Path(stage.environment.home), stage.register("2")
    events.record(stage.warehouse, "promoted", broken, "test", events.CHAMPION)
    path = lookup.fetch(home, "machines", broken.number) / "MLmodel"
    path.write_bytes(path.read_bytes() + b"\n")
    stage.score()
    assert {row[-3:] for row in stage.rows("role", "model_version", "served", "fallback")} == {
        ("1", True, "previous champion")
    }
    kind, subject, severity, message = stage.alerts()[-1]
    assert (kind, subject, severity) == ("fallback", "champion", "critical")
    assert message.startswith(
        "5 rows of 2024-04-01 are served by previous champion version 1, since the champion could"
    )
    assert "MLmodel was altered" in message
    assert stage.alert_rows()[-1]["evidence"].count("who") == 1

    roles.stop(stage.warehouse, stage.champion, "it is wrong", {}, "test")
    stage.score()
    loads = {row["machine"]: row["load"] for row in stage.features().to_pylist()}
    rows = stage.rows("machine", "score", "model_version", "fallback", "served", "tier")
    assert rows == [(m, load / 1000, "rule", "rule", True, "act") for m, load in sorted(loads.items())]
    kind, _, _, message = stage.alerts()[-1]
    assert "served by the rule of thumb" in message
    assert "No version that nobody was against has been champion before" in message

    stage.serving(fallback=replace(CHAIN, rule="speed / 10"))
    with pytest.raises(ModelError, match=r"Nobody could score it\. Champion: .*Rule of thumb: .*The rule names speed"):
        stage.score()
    assert stage.alerts()[-1][:3] == ("no_scores", "champion", "critical")
    assert stage.rows("machine", "score", "model_version", "fallback", "served", "tier") == rows


def test_a_champion_that_runs_past_its_budget_or_raises_is_followed_by_the_next_of_the_chain(stage, monkeypatch):
    real = scoring.score_rows

    def slow(*arguments):
        make, number = real(*arguments), arguments[3].manifest.model_name

        def wait(batches):
            time.sleep(0 if number == "rule" else 600)
            yield from make(batches)

        return wait

    monkeypatch.setattr(scoring, "score_rows", slow)
    stage.serving(fallback=Fallback(chain=[Substitute.RULE], rule="load > 50", otherwise=0.25, budget="5s"))
    stage.score()
    assert {row[1:] for row in stage.rows("machine", "fallback", "tier")} == {("rule", None)}
    assert "The champion has taken longer than its budget of 5s" in stage.alerts()[-1][3]
    monkeypatch.undo()
    stage.serving(fallback=Fallback(chain=[Substitute.RULE], rule="load > 50", otherwise=0.25))
    raising = stage.register("raising", RAISING)
    events.record(stage.warehouse, "promoted", raising, "test", events.CHAMPION)
    stage.score()
    assert {row[1:] for row in stage.rows("machine", "fallback")} == {("rule",)}
    assert "KeyError" in stage.alerts()[-1][3]


@pytest.mark.parametrize(
    ("failure", "passing"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "java"),
        (RuntimeError("SparkException: Python worker exited unexpectedly (crashed)"), "python_worker"),
        (OSError(28, "No space left on device"), None),
        (RuntimeError("nightjar.errors.TableError: Column loss of table features holds -3 in 1 of 5 rows."), None),
    ],
)
def test_what_the_machine_or_the_night_does_is_blamed_on_no_model_and_nobody_else_serves(failure, passing):
    """A library's own words for it, which nobody has translated yet; then the step fails, and is run once more."""
    opened = []

    def fails(title):
        opened.append(title)
        raise failure

    links = (Link(title, None, partial(fails, title)) for title in ("champion", "rule of thumb"))
    with pytest.raises((MachineError, TableError)) as stated:
        first_that_can(SimpleNamespace(session=None, run_date=D1), links, lambda *_: None)
    assert (opened, stated.value.passing) == (["champion"], passing)


def test_a_stop_takes_effect_at_once_on_what_is_stored_and_on_every_run_after_it(stage):
    stage.serving(canary=Canary(steps=[0.6]))
    version = stage.register("2")
    stage.challenge(version, 0.6)
    stage.score()
    by = served_once(stage)
    assert set(by.values()) == {"1", version.number}
    roles.stop(stage.warehouse, version, "complaints", {}, "test")
    stopped = roles.holders(stage.warehouse, D1).stopped
    rows, table_version = stop_serving(stage.warehouse, stage.project, stopped, D1, "stop")
    assert rows == list(by.values()).count(version.number)
    assert table_version == arrow.version(stage.warehouse, "scores")
    assert set(served_once(stage).values()) == {"1"}
    assert stop_serving(stage.warehouse, stage.project, stopped, D1, "stop") == (0, None)
    stage.score()
    assert set(served_once(stage).values()) == {"1"}
    assert stage.of_role("challenger", "machine") == []

    roles.stop(stage.warehouse, replace(stage.champion, holds_from=D1), "complaints", {}, "test")
    stopped = roles.holders(stage.warehouse, D1).stopped
    assert stop_serving(stage.warehouse, stage.project, stopped, D1, "stop")[0] == 10  # of the next night, too
    assert {is_served for (is_served,) in rows_of(stage.warehouse, "scores", "served")} == {False}
    message = r"Champion version 1 may serve nobody: it was stopped from 2024-04-01 on: complaints.*action=resume"
    with pytest.raises(ModelError, match=message):
        stage.score()
    roles.resume(stage.warehouse, replace(stage.champion, holds_from=D1), "all is well", {}, "test")
    stage.score()
    assert set(served_once(stage).values()) == {"1"}


def test_an_alias_that_moves_during_a_run_changes_no_row_of_it_and_a_stop_lets_it_write_nothing(stage, monkeypatch):
    version, real = stage.register("2"), scoring.write

    def write_and(then):
        def write(*arguments, **options):
            then()
            return real(*arguments, **options)

        monkeypatch.setattr(scoring, "write", write)

    write_and(lambda: events.record(stage.warehouse, "promoted", version, "test", events.CHAMPION))
    stage.score()
    assert {number for (number,) in stage.rows("model_version")} == {"1"}
    monkeypatch.undo()
    stage.score()
    assert {number for (number,) in stage.rows("model_version")} == {version.number}
    before = arrow.version(stage.warehouse, "scores")
    write_and(lambda: roles.stop(stage.warehouse, version, "it is wrong", {}, "test"))
    with pytest.raises(ModelError, match=f"Version {version.number} may serve nobody: it was stopped"):
        stage.score()
    assert arrow.version(stage.warehouse, "scores") == before


def test_rows_of_a_stopped_champion_are_not_served_again_beside_a_challengers():
    rows = pa.table(
        {"prediction_id": ["a", "b", "c", "d"], "arm": ["champion", "champion", "challenger", "challenger"]}
    )
    (marked,) = arms.of_champion(lambda _: iter([rows.append_column("served", pa.array([False] * 4))]), ["d"])(iter(()))
    assert marked["served"].to_pylist() == [False] * 4
    (marked,) = arms.of_champion(lambda _: iter([rows.append_column("served", pa.array([True] * 4))]), ["d"])(iter(()))
    assert marked["served"].to_pylist() == [True, True, False, True]


def raise_it(error):
    raise error


def test_where_nobody_can_score_all_reasons_are_said_whatever_the_champions_is():
    """Neither is any model's that Nightjar has put into words; alone it stays as it is."""
    night = Night(None, None, None, D1, "test", None, 0, pa.schema([]), 5, frozenset(), None, None)
    champion = Link("champion", None, lambda: raise_it(KeyError("load")))
    rule = Link("rule of thumb", "rule", lambda: raise_it(ModelError("It names speed.")))
    with pytest.raises(ModelError, match=r"Champion: .*load.* Rule of thumb: It names speed"):
        first_that_can(night, iter([champion, rule]), print)
    with pytest.raises(KeyError):
        first_that_can(night, iter([champion]), print)


def test_a_run_whose_lease_was_taken_over_says_so_even_once_it_is_over_its_budget(spark):
    def too_late():
        with within(lambda: spark, "1s", "The champion"):
            time.sleep(1.5)
            raise LeaseError("another run has it")

    with pytest.raises(LeaseError):
        too_late()
