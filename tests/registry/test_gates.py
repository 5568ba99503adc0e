"""Each gate in turn: what it lets pass, what it refuses, and what it leaves to a person, with its reason."""

import re
from dataclasses import replace

import pytest

from nightjar.registry.gates.outcome import Verdict
from nightjar.registry.gates.slices import SAME_RECIPE
from nightjar.registry.promotion import decide, judge
from nightjar.settings.promotion import Fairness, Promotion, Slices

LIMITS = Promotion(
    slices=Slices(["site"], not_worse_by=0.02, least_rows=50),
    fairness=Fairness(["sex"], selection_rate=0.1, recall=0.2, least_rows=50),
    calibration_error=0.05,
    rows_per_second=1000,
    artifact_mib=2,
    data_age_days=7,
)
BETTER = {"better": 1, "estimate": 0.05, "low": 0.01, "high": 0.09, "rows": 900, "reason": None}
NOTHING = {"estimate": None, "low": None, "high": None, "reason": "none of the 60 rows is positive"}
SLICE = BETTER | {"column": "site", "value": "north", "size": 60, "over": "champion version 3 (w)", "confidence": 0.99}
PAIR = {"column": "sex", "rate": "recall", "groups": ["f", "m"], "rates": [0.5, 0.4], "size": 60, "rows": 120}
PAIR |= {"estimate": 0.1, "low": -0.1, "high": 0.3, "reason": None}
ERROR = {"estimate": 0.03, "low": 0.02, "high": 0.05, "rows": 1900, "reason": None}
GATES = {
    "confidence": 0.99,
    "slices": [SLICE],
    "fairness": [PAIR],
    "fairness_of": [["sex", "recall"], ["sex", "selection_rate"]],
    "calibration": ERROR,
    "rows_per_second": 5000.0,
}
ARTIFACT = {
    "refusal": None,
    "bytes": 2**20,
    "data": {"features": 0, "labels": 3},
    "last_date": "2024-03-30",
    "data_age_days": 3,
    "schema_differences": [],
}
EVIDENCE = {
    "metric": "roc_auc",
    "period": ["2024-03-01", "2024-03-28"],
    "candidate": {"name": "w"},
    "difference": BETTER | {"over": "majority", "confidence": 0.95},
    "champion": BETTER
    | {"over": "champion version 3 (w)", "version": "3", "basis": "as it scores now", "confidence": 0.975},
    "clusters": {"entities": 100, "blocks": 28, "block_days": 1},
    "gates": GATES,
    "artifact": ARTIFACT,
}
ALL = ["baselines", "period", "champion", "slices", "fairness", "calibration", "speed", "size"]
ALL += ["signature", "schema", "lineage", "freshness"]


def with_gates(**changed):
    return {"gates": GATES | changed}


def with_artifact(**changed):
    return {"artifact": ARTIFACT | changed}


def test_who_passes_every_gate_is_promoted_with_what_was_compared():
    decision = decide(EVIDENCE, LIMITS)
    assert decision.promoted
    assert [(one.gate, one.verdict) for one in decision.outcomes] == [(gate, Verdict.PASSED) for gate in ALL]
    assert decision.reason == (
        "w against majority on 2024-03-01 to 2024-03-28: better, roc_auc +0.0500, 95% interval +0.0100 to +0.0900. "
        "Against champion version 3 (w): better, roc_auc +0.0500, 97.5% interval +0.0100 to +0.0900, as it scores now."
    )


MEASURED = ("slices", "fairness", "calibration", "speed")
"""The gates of figures that trainings of before did not measure."""
REFUSED, PERSON = Verdict.REFUSED, Verdict.PERSON


@pytest.mark.parametrize(
    ("gate", "changed", "verdict", "reason"),
    [
        (
            "baselines",
            {"difference": EVIDENCE["difference"] | {"low": -0.01}},
            REFUSED,
            "w against majority on .*: not rel",
        ),
        (
            "baselines",
            {"difference": EVIDENCE["difference"] | NOTHING},
            PERSON,
            "roc_auc cannot be compared: none of the",
        ),
        (
            "period",
            {"clusters": {"entities": 9, "blocks": 2, "block_days": 1}},
            PERSON,
            "better in this period only, .*2 nig",
        ),
        (
            "champion",
            {"champion": EVIDENCE["champion"] | {"low": -0.001, "confidence": 1 - 2 * 4.57e-5}},
            REFUSED,
            r"not reliably better, roc_auc \+0.0500, 99.991% interval -0.0010 to",
        ),
        (
            "champion",
            {"champion": EVIDENCE["champion"] | NOTHING},
            PERSON,
            "Against champion version 3 .*: roc_auc cannot be",
        ),
        (
            "attempt",
            {"attempt": {"digest": "d", "level": 0.0}},
            PERSON,
            "have taken what there is of",
        ),
        (
            "slices",
            with_gates(slices=[SLICE, SLICE | {"value": "south", "estimate": -0.09, "low": -0.15, "high": -0.03}]),
            REFUSED,
            r"site=south against champion version 3 \(w\): roc_auc -0.0900, 99% interval .*, worse by more than 0.02\.",
        ),
        ("slices", with_gates(slices=[SLICE | {"size": 1}]), PERSON, "site=north .*: it has 1 rows, fewer than 50"),
        ("slices", with_gates(slices=[SLICE | {"of_rarer_class": 9}]), PERSON, "9 rows of the rarer class, fewer than"),
        (
            "slices",
            with_gates(slices=[SLICE | NOTHING, SLICE | NOTHING]),
            PERSON,
            r"\(and 1 more\) .*none of the 60 rows",
        ),
        ("slices", {"gates": {}}, PERSON, "Slices of site were not measured"),
        (
            "fairness",
            with_gates(fairness=[PAIR, PAIR | {"estimate": -0.4, "low": -0.55, "high": -0.25}]),
            REFUSED,
            "Recall by sex: 50.0% of f, 40.0% of m, difference -0.400, 99% interval -0.550 to -0.250, more than 0.2",
        ),
        (
            "fairness",
            with_gates(fairness=[PAIR | {"size": 9}]),
            PERSON,
            "recall of sex=f and m cannot be compared: 9 rows",
        ),
        ("fairness", with_gates(fairness=[PAIR | NOTHING]), PERSON, "none of the 60 rows is positive"),
        ("fairness", {"gates": {}}, PERSON, "did not measure recall by sex, selection rate by sex"),
        ("fairness", with_gates(fairness_of=[["sex", "recall"]]), PERSON, "did not measure selection rate by sex"),
        (
            "calibration",
            with_gates(calibration=ERROR | {"estimate": 0.08, "low": 0.06}),
            REFUSED,
            "calibration error is 0.0800, 99% interval 0.0600 to 0.0500, above 0.05",
        ),
        ("calibration", with_gates(calibration=ERROR | {"high": 0.3}), PERSON, "said: one of 0.30 is not excluded"),
        ("calibration", with_gates(calibration=ERROR | {"rows": 999}), PERSON, "999 rows are fewer than 1000"),
        ("calibration", with_gates(calibration=ERROR | NOTHING), PERSON, "cannot be said: none of the 60 rows"),
        (
            "outcomes",
            {"unobserved": {"acted_on": 200.0, "without_outcome": 30.0, "at_most": 0.1}},
            PERSON,
            r"30 \(15.0%\) have no outcome, more than 10.0%\. Have a person promote it",
        ),
        ("speed", with_gates(rows_per_second=999.0), REFUSED, "It scores 999 rows a second, fewer than 1,000"),
        ("speed", {"gates": {}}, PERSON, "did not measure how fast"),
        ("size", with_artifact(bytes=3 * 2**20), REFUSED, "has 3.00 MiB, more than 2"),
        ("signature", {"artifact": {"refusal": "version 1 of w is unsigned."}}, REFUSED, "version 1 of w is unsigned"),
        (
            "schema",
            with_artifact(schema_differences=["missing: load (number)"]),
            REFUSED,
            "features does not fit .*: missing: l",
        ),
        (
            "lineage",
            with_artifact(data={"features": 0}),
            REFUSED,
            "which version of labels it was trained is not on record",
        ),
        ("lineage", with_artifact(data={"features": 0, "labels": None}), REFUSED, "which version of labels"),
        ("freshness", with_artifact(data_age_days=8), REFUSED, "2024-03-30, is 8 days ago, more than 7"),
    ],
)
def test_each_gate_by_itself_keeps_a_version_from_being_promoted(gate, changed, verdict, reason):
    """Harm that is shown refuses; where nothing can be shown a person decides; both give the reason in a sentence."""
    decision = decide(EVIDENCE | changed, LIMITS)
    failed = {one.gate: one for one in decision.outcomes if one.verdict is not Verdict.PASSED}
    assert not decision.promoted
    assert failed[gate].verdict is verdict
    assert re.search(reason, failed[gate].sentence)
    assert failed[gate].sentence in decision.reason
    assert len(failed) == (1 if changed.get("gates", GATES) else len(MEASURED))


def test_harm_is_what_the_whole_interval_shows_not_an_estimate():
    """An estimate beyond the limit with an interval that reaches back to it shows nothing."""
    slices = [SLICE | {"estimate": -0.05, "low": -0.09, "high": -0.019}]
    pairs = [PAIR | {"estimate": 0.3, "low": 0.19, "high": 0.41}]
    error = ERROR | {"estimate": 0.07, "low": 0.049, "high": 0.09}
    assert decide(EVIDENCE | with_gates(slices=slices, fairness=pairs, calibration=error), LIMITS).promoted


@pytest.mark.parametrize("figure", [{"low": -0.09, "high": -0.01}, NOTHING])
def test_an_expired_champion_is_compared_but_need_not_be_beaten(figure):
    champion = EVIDENCE["champion"] | figure | {"has_expired": True}
    decision = decide(EVIDENCE | {"champion": champion}, LIMITS)
    assert decision.promoted
    assert "It scores no more: the baselines decide." in decision.reason


def test_for_a_loss_a_slice_is_worse_above():
    losses = SLICE | {"better": -1, "estimate": 0.09, "low": 0.03, "high": 0.15}
    assert not decide(EVIDENCE | with_gates(slices=[losses]), LIMITS).promoted
    assert decide(
        EVIDENCE | with_gates(slices=[losses | {"estimate": -0.09, "low": -0.15, "high": -0.03}]), LIMITS
    ).promoted


def test_a_champion_of_the_same_recipe_is_worse_in_no_slice():
    """It would have the very scores: what passes the margin to the champion is promoted without a person."""
    champion = EVIDENCE["champion"] | {"estimate": 0.0, "low": 0.0, "high": 0.0, "basis": SAME_RECIPE}
    gates = {name: figure for name, figure in GATES.items() if name != "slices"}
    retrained = EVIDENCE | {"champion": champion, "gates": gates}
    assert decide(retrained, replace(LIMITS, not_worse_by=0.01)).promoted


def test_what_has_no_limit_is_not_judged():
    assert [one.gate for one in judge(EVIDENCE, Promotion())] == [
        *("baselines", "period", "champion"),
        *("signature", "schema", "lineage"),
    ]
