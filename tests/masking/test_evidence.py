"""Evidence without the values of sensitive columns: figures and verdicts stay, and different groups stay different."""

import json
from dataclasses import asdict, replace

import pytest

from nightjar.evaluation.slices.conditions import Condition, Slice
from nightjar.masking.evidence import mask_evidence
from nightjar.masking.values import Masking
from nightjar.registry.gates.fairness import judge_fairness
from nightjar.registry.gates.slices import judge_slices
from nightjar.registry.tiers import GroupThreshold, TierThreshold
from nightjar.report.error_analysis import read_error_analysis
from nightjar.report.fairness import read_fairness, read_mitigation
from nightjar.report.tiers import read_tiers
from nightjar.settings.promotion import Fairness, Promotion, Slices
from report import cards, nights

SEX = Masking(frozenset({"sex"}))
DISTRICT = Masking(frozenset({"district", "income"}))
NUMBER = {"estimate": 0.1, "low": 0.04, "high": 0.16, "reason": None, "rows": 300, "confidence": 0.99}
CONDITIONS = [
    (Condition("district", values=("Ouest",)),),
    (Condition("district", values=("Nord and Sud", "Est"), is_other=True), Condition("hour", low=17)),
    (Condition("income", low=31_777.0, high=52_888.0), Condition("district", values=("Ouest",))),
    (Condition("hour", high=5.0),),
]
FIGURES = {"rows": 90, "share": 0.1, "error": 0.3, "error_of_rest": 0.2, "baseline_error": 0.3, "calibration": None}
SLICES = [
    {**Slice(one).to_json(), **FIGURES, **NUMBER, "is_declared": number == 0, "is_confirmed": True}
    | {"name": str(Slice(one)) if number == 0 else None}
    for number, one in enumerate(CONDITIONS)
]
OWN = tuple(GroupThreshold((value,), 0.2 + number / 10) for number, value in enumerate(("Ouest", "Nord and Sud", None)))
PAIR = {"column": "district", "rate": "recall", "groups": ["Ouest", "Est"], "rates": [0.2, 0.5], "size": 400}
EVIDENCE = cards.MEASURED | {
    "slices": SLICES,
    "gates": {
        "confidence": 0.99,
        "slices": [{"column": "district", "value": "Ouest", "over": "version 2", "better": 1, "size": 400, **NUMBER}],
        "fairness_of": [["district", "recall"]],
        "fairness": [PAIR | NUMBER],
    },
    "thresholds": [
        nights.THRESHOLDS[0] | {"by_group": asdict(TierThreshold("act", 0.5, ("district",), OWN, 0.4))},
    ],
    "reason": "district=Ouest against champion version 3: worse.",
}
HIDDEN = ("Ouest", "Nord", "Est", "31777", "52888")


def test_no_value_of_a_sensitive_column_is_left_wherever_evidence_has_one():
    shown = mask_evidence(EVIDENCE, DISTRICT)
    text = json.dumps(shown)
    assert [value for value in HIDDEN if value in text] == []
    assert all(value in json.dumps(EVIDENCE) for value in HIDDEN)

    slices = {one.text: one for one in read_error_analysis(shown).slices}
    assert set(slices) == {
        "district is (masked 1)",
        "district is (masked 5) and hour >= 17",
        "income is (masked 1) and district is (masked 1)",
        "hour < 5",
    }
    assert slices["district is (masked 1)"].name is None  # its name was its text
    (tier,) = read_tiers(shown)
    assert tier.by_group.values == {"(masked 1)": 0.2, "(masked 2)": pytest.approx(0.3), "(masked 3)": 0.4}
    assert shown["gates"]["fairness"][0]["groups"] == ["(masked 1)", "(masked 4)"]


def test_gates_say_the_same_of_it_without_the_values():
    settings = Promotion(slices=Slices(["district"]), fairness=Fairness(["district"], recall=0.01))
    outcomes = [
        (judge_slices(one, settings), judge_fairness(one, settings))
        for one in (EVIDENCE, mask_evidence(EVIDENCE, DISTRICT))
    ]
    as_told, masked = ([replace(one, sentence="") for one in some] for some in outcomes)
    assert masked == as_told
    sentences = " ".join(one.sentence for one in outcomes[1])
    assert "recall by district: 20.0% of (masked 1), 50.0% of (masked 4)".lower() in sentences.lower()
    assert [value for value in HIDDEN if value in sentences] == []


def test_groups_that_differ_stay_apart():
    evidence = {"fairness": nights.group_figures(), "mitigation": nights.MITIGATION}
    shown = mask_evidence(evidence, SEX)
    before, after = (read_fairness(one) for one in (evidence, shown))
    for one, other in zip(before, after, strict=True):
        assert len(one.groups) == len(other.groups)
        assert sorted(group.size for group in one.groups) == sorted(group.size for group in other.groups)
    assert set(read_mitigation(shown)[0].gaps) == {"(masked 1)", "(masked 2)", "(masked 3)"}
    assert all(set(group.name.split(", ")).isdisjoint({"F", "M", "X"}) for one in after for group in one.groups)


def test_where_nothing_is_sensitive_it_is_as_it_was():
    assert mask_evidence(EVIDENCE, Masking()) == EVIDENCE
