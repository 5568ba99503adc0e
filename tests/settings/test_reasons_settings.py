"""Settings of reasons and of sensitive columns: what nobody could be told, or nothing could hide, is refused."""

from dataclasses import replace

import pytest

import builders
from nightjar.settings.costs import Costs
from nightjar.settings.serving.reasons import AdverseAction, Reasons
from nightjar.settings.serving.serving import Serving

WORDING = {"load": "The load is high", "built": "It is old", "site": "The site"}
ALL = WORDING | dict.fromkeys(
    ["temperature__last", "temperature__mean_1d", "temperature__mean_3d"], "It has been warm of late"
)


def declared(tmp_path, serving):
    project = replace(builders.machines(tmp_path), costs=Costs(missed=5, false_alarm=1))
    return replace(project, serving=serving)


@pytest.mark.parametrize(
    ("serving", "message"),
    [
        ({"reasons": {"tiers": ["acted"]}}, r"serving\.reasons\.tiers: found 'acted'.*one of .*\['act', 'none'\]"),
        ({"reasons": {"names": {"loads": "x"}}}, r"serving\.reasons\.names: found 'loads'.*did you mean 'load'"),
        (
            {"reasons": {"tiers": ["act"], "adverse": {"tiers": ["act"], "wording": WORDING}}},
            r"serving\.reasons\.adverse\.wording: found \['temperature__last'.*, expected a sentence for each of these",
        ),
        ({"sensitive": ["stie"]}, r"serving\.sensitive: found 'stie'.*did you mean 'site'"),
    ],
)
def test_what_the_project_does_not_have_is_refused(tmp_path, serving, message):
    reasons = dict(serving.get("reasons", {}))
    reasons["adverse"] = AdverseAction(**reasons.get("adverse", {}))
    with pytest.raises(ValueError, match=message):
        declared(tmp_path, Serving(reasons=Reasons(**reasons), sensitive=serving.get("sensitive", [])))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Reasons(["act"], adverse=AdverseAction(["none"], wording=ALL)), r"adverse\.tiers: found \['none'\]"),
        (lambda: AdverseAction(wording=ALL), r"tiers: found \[\], expected the tiers whose rows are told"),
        (lambda: AdverseAction(["act"], wording={"load": " "}), r"wording\.load: found ' ', expected a sentence"),
        (lambda: Reasons(names={"load": ""}), r"names\.load: found '', expected what reviewers call"),
        (lambda: Reasons(sample=1.5), "sample: found 1.5, expected at most 1"),
    ],
)
def test_what_makes_no_sense_by_itself_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_reasons_are_declared_by_tiers_or_a_sample_and_every_sentence_may_be_shared(tmp_path):
    assert not Reasons(names={"load": "Load"}).is_declared()
    assert Reasons(sample=0.1).is_declared()
    adverse = AdverseAction(["act"], wording=ALL)
    assert declared(tmp_path, Serving(reasons=Reasons(["act", "none"], adverse=adverse))).serving.reasons.is_declared()
