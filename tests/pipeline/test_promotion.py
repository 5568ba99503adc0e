"""Promotion by evidence, by people, and back to an earlier champion."""

import getpass
import json
import logging
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from deltalake import DeltaTable

from builders import rows_of
from nightjar.errors import LeaseError, ModelError, UsageError
from nightjar.pipeline import deciding
from nightjar.pipeline.execution import Context, perform
from nightjar.pipeline.sessions import Sessions
from nightjar.registry import aliases, events, inspection, lookup, roles, tracking
from nightjar.settings.jobs import Action, Job, JobName, Promote, Score
from nightjar.settings.promotion import Promotion as PromotionSettings
from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.serving import Serving
from nightjar.tables.runs import Outcome

D2, D3, D4 = date(2024, 4, 2), date(2024, 4, 3), date(2024, 4, 4)
ME = getpass.getuser()


@pytest.fixture
def context(copied):
    settings = Job(copied.environment, copied.project, "2024-04-03")
    return Context(settings, "config-2", Sessions(copied.environment, "tests"), copied.warehouse, "revision-2")


@pytest.fixture
def without_mlflow(monkeypatch):
    """Versions that only `model_events` knows."""
    monkeypatch.setattr(tracking, "require_version", lambda *_: None)
    monkeypatch.setattr(tracking, "set_alias", lambda *_: None)
    monkeypatch.setattr(aliases, "repeat", lambda *_: None)
    monkeypatch.setattr(inspection, "inspect", lambda *_: {"refusal": None})


def step_of(context, settings=Job, day=D3, **options):
    return context.step(day, settings(context.settings.environment, context.settings.project, str(day), **options))


def act(context, action, day=D3, **options):
    perform(JobName.PROMOTE, step_of(context, Promote, day, action=action, reason="why", **options), "config-2")


def with_approvals(context, count):
    project = replace(context.settings.project, promotion=PromotionSettings(approvals=count))
    return replace(context, settings=replace(context.settings, project=project))


BETTER = {"over": "majority", "better": 1, "estimate": 0.2, "low": 0.1, "high": 0.3}


def better_than(champion):
    """Evidence that beats the baseline and a champion."""
    return {
        "difference": BETTER,
        "champion": BETTER | {"version": champion, "basis": "as it scores now", "over": champion},
    }


def register(context, number, alias=None, day=D3, name="w", **evidence):
    """A version that a training for 3 April has registered, no better than its baseline."""
    difference = {"over": "majority", "better": 1, "estimate": 0.0, "low": -0.1, "high": 0.1}
    told = {"metric": "roc_auc", "period": ["a", "b"], "candidate": {"name": "w"}, "difference": difference}
    told["clusters"] = {"entities": 5, "blocks": 3, "block_days": 1}
    version = events.Version(number, name, day, told | evidence)
    events.record(context.warehouse, "registered", version, "x", alias)
    perform(JobName.TRAIN, step_of(context, day=day), "config-2", lambda _: Outcome())


def decisions(context):
    rows = rows_of(context.warehouse, "model_events", "event", "model_version", "holds_from")
    return [(event, number) for event, number, day in rows if day == D3 and event != "registered"]


def test_a_refused_promotion_is_an_event_and_changes_no_champion_until_a_person_says_so(context):
    register(context, "7")
    with pytest.raises(ModelError, match="Version 7 of model machines cannot be fetched from MLflow"):
        perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert decisions(context) == []
    register(context, "1")  # which MLflow knows, by another name
    register(context, "8", events.STAND_IN, stand_in=True)
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert decisions(context) == [("refused", "1")]
    recorded = rows_of(context.warehouse, "model_events", "event", "model_version", "evidence")
    (refused,) = [json.loads(evidence) for event, number, evidence in recorded if (event, number) == ("refused", "1")]
    told = {one["gate"]: (one["verdict"], one["sentence"]) for one in refused["outcomes"]}
    assert told["baselines"][0] == "refused"
    assert told["signature"][0] == "refused"
    assert "is signed as version 1 of" in told["signature"][1]
    first = events.champion(context.warehouse, D3)
    assert first.number == "1"
    verdicts = {one["gate"]: one["verdict"] for one in first.evidence["outcomes"]}
    assert verdicts == dict.fromkeys(["baselines", "period", "outcomes", "signature", "schema", "lineage"], "passed")
    with pytest.raises(UsageError, match=r"version 1 cannot score, whoever approves it: .* is signed as version 1 of"):
        act(context, Action.APPROVE, version=1)
    register(context, "1", name="logistic-1")
    perform(JobName.PROMOTE, step_of(context, Promote, action=Action.APPROVE, by="Ada", reason="a pilot"), "config-2")
    champion = events.champion(context.warehouse, D3)
    assert (champion.number, champion.holds_from) == ("1", D3)
    assert champion.evidence["reason"].startswith(
        f"approved by {ME} for Ada: a pilot; by itself w against majority on a to b: not"
    )
    (card,) = Path(context.settings.environment.home).rglob("card-1.md")
    assert card.read_text() == Path(context.warehouse.path("reports/card-1.md")).read_text()
    decided = card.read_text().partition("## Who has decided what")[2]
    assert re.search(r"\| promoted .* \| 2024-04-03 \| people, see below \| approved by", decided)
    assert re.search(rf"\| approved .* \| 2024-04-03 \| {ME} \(for Ada\) \| {ME} for Ada: a pilot \|", decided)


def test_an_expired_champion_gives_way_to_a_stand_in_and_comes_back_by_nobody(context, without_mlflow):
    """The baseline scores where the winner of the day is refused and the champion has expired."""
    register(context, "5", expires_on="2024-04-03", difference=BETTER)
    act(context, Action.APPROVE, D2, version=5)
    holds = events.champion(context.warehouse, D3)
    assert [deciding.is_current_winner(holds, context.settings.project, day) for day in (D2, D3)] == [True, False]
    register(context, "7")
    register(context, "8", events.STAND_IN, stand_in=True)
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert events.champion(context.warehouse, D3).number == "8"
    says = "version 5 has expired on 2024-04-03, and would score nothing on 2024-04-03"
    for action in (Action.ROLLBACK, Action.APPROVE):
        with pytest.raises(UsageError, match=says):
            act(context, action, version=5)


def test_a_declared_baseline_stands_in_for_a_refused_winner_where_no_other_holds(context, without_mlflow):
    """It gives way to the next one, as it was trained on more, and to any winner."""
    DeltaTable(context.warehouse.path("model_events")).delete()
    register(context, "7")
    register(context, "8", events.STAND_IN, stand_in=True)
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert decisions(context) == [("promoted", "8"), ("refused", "7")]
    holds = events.champion(context.warehouse, D3)
    assert (holds.number, holds.is_stand_in) == ("8", True)
    assert holds.evidence["reason"] == "Stands in for version 7, which was refused."
    register(context, "9")
    register(context, "10", events.STAND_IN, stand_in=True)
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert events.champion(context.warehouse, D3).number == "10"
    register(context, "11", difference=BETTER, **{events.DEFINITIONS: "of before an edit"})  # a stand-in holds
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    holds = events.champion(context.warehouse, D3)
    assert (holds.number, holds.is_stand_in) == ("11", False)
    register(context, "12")
    register(context, "13", events.STAND_IN, stand_in=True)
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert events.champion(context.warehouse, D3).number == "13"  # the winner cannot score what is built now


def test_two_people_have_to_approve_where_the_project_says_so(context, without_mlflow, monkeypatch):
    context = with_approvals(context, 2)
    register(context, "7", **better_than("1"))
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert decisions(context) == [("refused", "7")]
    act(context, Action.APPROVE)
    assert decisions(context) == [("approved", "7"), ("refused", "7")]
    with pytest.raises(UsageError, match=f"version 7: {ME} has approved it already; the 2 people"):
        act(context, Action.APPROVE, by="somebody else")
    monkeypatch.setattr(deciding, "user", lambda: "another")
    act(context, Action.APPROVE, by="the bank's risk officer")

    champion = events.champion(context.warehouse, D3)
    assert champion.number == "7"
    assert champion.evidence["reason"].startswith(
        f"approved by {ME}: why; another for the bank's risk officer: why; w against majority on a to b: better"
    )


def test_who_rejects_a_version_takes_back_what_was_approved(context, without_mlflow, monkeypatch):
    context = with_approvals(context, 2)
    register(context, "7", **better_than("1"))
    act(context, Action.APPROVE)
    act(context, Action.REJECT, by="Ada")
    monkeypatch.setattr(deciding, "user", lambda: "another")
    act(context, Action.APPROVE, version=7)

    assert decisions(context) == [("approved", "7"), ("approved", "7"), ("refused", "7")]
    assert events.champion(context.warehouse, D3).number == "1"
    with pytest.raises(UsageError, match=r"version 1 is champion on 2024-04-03.*action=rollback"):
        act(context, Action.REJECT, version=1)


def test_a_rollback_brings_the_champion_before_back_from_a_night_on(context, without_mlflow):
    first = events.champion(context.warehouse, D3)
    for day, number, before in ((D3, "7", "1"), (D4, "8", "7")):
        register(context, number, day=day, **better_than(before))
        perform(JobName.PROMOTE, step_of(context, Promote, day), "config-2")
    with pytest.raises(UsageError, match=r"version 8 was promoted for 2024-04-04, after that.*run_date=2024-04-04"):
        act(context, Action.ROLLBACK)
    with pytest.raises(UsageError, match="version 9 has never been champion before version 8"):
        act(context, Action.ROLLBACK, D4, version=9)

    act(context, Action.ROLLBACK, D4)
    holds = events.champion(context.warehouse, D4)
    assert (holds.number, holds.holds_from) == ("7", D4)
    assert holds.evidence["reason"] == f"rolled back from version 8 by {ME}: why"
    assert events.champion(context.warehouse, D3).number == "7"  # a past night keeps its own
    perform(JobName.PROMOTE, step_of(context, Promote, D4), "config-2")  # by its evidence alone it does not come back
    assert events.champion(context.warehouse, D4).number == "7"
    act(context, Action.ROLLBACK, D4)
    assert events.champion(context.warehouse, D4).number == first.number
    act(context, Action.APPROVE, D4, version=8)
    assert events.champion(context.warehouse, D4).number == "8"


def test_evidence_against_another_champion_than_the_one_that_holds_promotes_nobody(context, without_mlflow):
    register(context, "7", **better_than("1"))
    register(context, "8", **better_than("1"))
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    register(context, "9", **better_than("1"))
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")

    assert events.champion(context.warehouse, D3).number == "8"
    refused = events._latest(context.warehouse, D3, "refused", events.CHAMPION)
    assert "It was compared with version 1, and version 8 is champion by now. Train anew" in refused.evidence["reason"]


def test_of_promotions_at_once_one_wins_and_the_others_are_told(context, without_mlflow, monkeypatch):
    """They begin while the first one looks at what it will promote: of its date, of the next, and a person's."""
    register(context, "7", **better_than("1"))
    messages = []

    def look_while_others_promote(*_):
        with monkeypatch.context() as others:
            others.setattr(inspection, "inspect", lambda *_: {"refusal": None})
            for settings in (step_of(context, Promote), step_of(context, Promote, D4)):
                with pytest.raises(LeaseError) as told:
                    perform(JobName.PROMOTE, settings, "config-2")
                messages.append(str(told.value))
            with pytest.raises(LeaseError) as told:
                act(context, Action.APPROVE, version=1)
            messages.append(str(told.value))
        return {"refusal": None}

    monkeypatch.setattr(inspection, "inspect", look_while_others_promote)
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert len(messages) == 3
    assert [message for message in messages if "promote" not in message or "held by run" not in message] == []
    assert decisions(context) == [("promoted", "7")]
    assert events.champion(context.warehouse, D4).number == "7"


def test_an_approval_that_was_recorded_alone_is_completed(context, without_mlflow):
    """As where MLflow failed after it, or the project asks for fewer people since."""
    of_two = with_approvals(context, 2)
    register(context, "7", **better_than("1"))
    act(of_two, Action.APPROVE)
    act(with_approvals(context, 1), Action.APPROVE)
    assert events.champion(context.warehouse, D3).number == "7"
    before = decisions(context)
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert decisions(context) == before
    with pytest.raises(UsageError, match=f"version 7 is champion, and {ME} has approved it"):
        act(context, Action.APPROVE, version=7)


def test_what_was_trained_on_other_definitions_does_not_come_back(context, without_mlflow):
    register(context, "7", **{events.DEFINITIONS: "of before an edit"})
    with pytest.raises(UsageError, match="version 7 was trained on other definitions of features or label"):
        act(context, Action.APPROVE)
    with pytest.raises(ModelError, match=r"No training of machines has registered version 99: there is .*7"):
        act(context, Action.APPROVE, version=99)


def with_canary(context, *steps):
    project = replace(context.settings.project, serving=Serving(canary=Canary(steps=list(steps))))
    return replace(context, settings=replace(context.settings, project=project))


def test_with_a_canary_a_winner_is_challenger_first_and_champion_once_a_person_or_its_steps_say_so(
    context, without_mlflow
):
    context = with_canary(context, 0.05, 0.5)
    register(context, "7", **better_than("1"))
    for _ in range(2):  # the second finds it challenger
        perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert decisions(context) == [("assigned", "7")]
    now = roles.holders(context.warehouse, D3)
    assert (now.champion.number, now.challenge.version.number, now.challenge.share) == ("1", "7", 0.05)
    evidence = now.challenge.version.evidence
    assert evidence["outcomes"]
    assert evidence["reason"].endswith("It serves 5% of the entities first, beside version 1.")

    act(context, Action.WITHDRAW)
    assert roles.holders(context.warehouse, D3).challenge is None
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")  # by its evidence alone it does not come back
    assert ("refused", "7") in decisions(context)
    assert roles.holders(context.warehouse, D3).challenge is None
    act(context, Action.APPROVE, version=7)
    assert roles.holders(context.warehouse, D3).challenge.version.number == "7"
    act(context, Action.APPROVE, version=7)
    assert roles.holders(context.warehouse, D3).champion.number == "7"
    assert roles.holders(context.warehouse, D3).challenge is None


def test_without_another_winner_there_is_nobody_to_challenge(context, without_mlflow):
    context = with_canary(context, 0.05)
    DeltaTable(context.warehouse.path("model_events")).delete("event = 'promoted'")
    register(context, "7", difference=BETTER)
    perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
    assert events.champion(context.warehouse, D3).number == "7"


def test_people_name_who_scores_beside_the_champion_and_stop_and_resume_any_version(context, without_mlflow, caplog):
    for number in ("7", "8"):
        register(context, number)
    act(context, Action.CHALLENGE, version=7)
    act(context, Action.SHADOW, version=8)
    now = roles.holders(context.warehouse, D3)
    assert (now.challenge.version.number, now.challenge.share) == ("7", 0.0)
    assert [one.number for one in now.shadows] == ["8"]
    with pytest.raises(UsageError, match=r"version 1 is champion on 2024-04-03. Nothing was written"):
        act(context, Action.SHADOW, version=1)
    with pytest.raises(UsageError, match=r"version 7 is challenger on 2024-04-03, and scores every row already"):
        act(context, Action.SHADOW, version=7)
    with pytest.raises(UsageError, match=r"version 7 is challenger on 2024-04-03.*action=withdraw version=7"):
        act(context, Action.REJECT, version=7)
    act(context, Action.REJECT, version=8)
    with pytest.raises(UsageError, match=r"version 8 serves nobody while somebody is against it \(rejected by"):
        act(context, Action.CHALLENGE, version=8)
    with pytest.raises(UsageError, match=r"version 9 has no role beside it on 2024-04-03: .* versions 7, 8"):
        act(context, Action.WITHDRAW, version=9)
    act(context, Action.WITHDRAW, version=8)
    assert roles.holders(context.warehouse, D3).shadows == ()

    before = rows_of(context.warehouse, "scores", "run_date", "served")
    assert before == [(D2.replace(day=1), True)] * 5 + [(D2, True)] * 5
    act(context, Action.STOP, D2)
    assert rows_of(context.warehouse, "scores", "run_date", "served") == [
        *[(D2.replace(day=1), True)] * 5,
        *[(D2, False)] * 5,
    ]
    with pytest.raises(ModelError, match=r"version 1 may serve nobody: it was stopped from 2024-04-02 on: .*: why"):
        perform(JobName.SCORE, step_of(context, Score, D2), "config-2")
    with pytest.raises(UsageError, match=r"version 7 is not stopped on 2024-04-02: stopped are the versions 1"):
        act(context, Action.RESUME, D2, version=7)
    act(context, Action.RESUME, D2)
    perform(JobName.SCORE, step_of(context, Score, D2), "config-2")
    assert rows_of(context.warehouse, "scores", "run_date", "served") == before


@pytest.mark.parametrize(("job", "settings", "day"), [(JobName.PROMOTE, Promote, D3), (JobName.SCORE, Score, D2)])
def test_an_alias_that_somebody_has_moved_in_mlflow_is_noticed_by_the_next_job(
    context, spark, caplog, job, settings, day
):
    client = tracking.connect(step_of(context).home)
    source = client.get_model_version("machines", "1").source
    other = client.create_model_version("machines", source).version
    client.set_registered_model_alias("machines", "champion", other)
    register(context, "1")
    logging.getLogger("nightjar.registry").addHandler(caplog.handler)
    perform(job, step_of(context, settings, day), "config-2")
    logging.getLogger("nightjar.registry").removeHandler(caplog.handler)

    assert f"MLflow named version {other} the champion of machines, and model_events says version 1" in caplog.text
    assert lookup.find_alias(step_of(context).home, "machines", "champion") == "1"
    assert events.champion(context.warehouse, D3).number == "1"


def test_mlflow_names_no_challenger_where_it_has_become_champion_or_a_job_was_stopped_before(context):
    step = step_of(context, Promote)
    client = tracking.connect(step.home)
    other = client.create_model_version("machines", client.get_model_version("machines", "1").source).version
    version = events.Version(str(other), "w", D3, {})

    def named():
        return [lookup.find_alias(step.home, "machines", one) for one in ("champion", "challenger")]

    client.set_registered_model_alias("machines", "challenger", other)
    aliases.reconcile(step.home, context.warehouse)
    assert named() == ["1", None]
    roles.assign(context.warehouse, version, "challenger", "a winner", "x", 0.5)
    aliases.repeat(step.home, context.warehouse)
    assert named() == ["1", version.number]
    deciding.record(step, Outcome(), "promoted", version, "approved")
    assert named() == [version.number, None]


def test_a_decision_that_is_on_record_is_not_recorded_again(context, without_mlflow):
    """As that of a run that was killed before it could say what it had done."""
    for number, evidence, event in (("2", {}, "refused"), ("3", better_than("1"), "promoted")):
        register(context, number, **evidence)
        for _ in range(2):
            perform(JobName.PROMOTE, step_of(context, Promote), "config-2")
        assert [one for one in decisions(context) if one[1] == number] == [(event, number)]
    assert events.champion(context.warehouse, D3).number == "3"
