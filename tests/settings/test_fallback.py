"""What a canary and a chain of fallbacks may be, by their settings alone."""

import pytest

from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.fallback import Fallback, Substitute
from nightjar.settings.task import Task

RULE = {"chain": [Substitute.RULE], "rule": "load > 50", "otherwise": 0.2}


@pytest.mark.parametrize("steps", [[0.2, 0.1], [0.1, 0.1], [0.5, 1.0]])
def test_the_shares_of_a_canary_grow_and_leave_some_to_the_champion(steps):
    with pytest.raises(ValueError, match=r"steps: .*expected shares that grow, below 1"):
        Canary(steps=steps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chain": [Substitute.RULE] * 2} | {name: RULE[name] for name in ("rule", "otherwise")}, "each once"),
        ({"chain": [Substitute.RULE], "otherwise": 0.2}, "rule: .*expected an expression over features"),
        ({"chain": [Substitute.RULE], "rule": "load"}, "otherwise: .*expected the score where the rule is null"),
        ({"rule": "load"}, "rule: .*expected none without rule in the chain"),
        ({"tier": "act"}, "tier: .*expected none without rule in the chain"),
        ({"budget": "5m"}, "budget: .*expected none without a chain"),
    ],
)
def test_a_chain_says_all_that_it_needs_and_nothing_more(options, message):
    with pytest.raises(ValueError, match=message):
        Fallback(**options)


def test_a_rule_gives_scores_of_the_projects_task_and_one_of_its_tiers():
    fallback = Fallback(**RULE, tier="review")
    assert list(fallback.issues_with(Task.CLASSIFICATION, ["act", "review"])) == []
    wrong = Fallback(**RULE | {"otherwise": 3.0}, tier="reviews")
    assert [issue.field for issue in wrong.issues_with(Task.CLASSIFICATION, ["review"])] == ["otherwise", "tier"]
    assert [issue.field for issue in fallback.issues_with(Task.MULTICLASS, ["review"])] == ["chain"]
