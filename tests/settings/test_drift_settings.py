"""Settings of drift: what cannot be meant is refused by the path to it."""

import pytest

from nightjar.settings.monitoring.drift import Distance, Drift, DriftThreshold
from nightjar.settings.monitoring.monitoring import Monitoring


def test_names_that_are_no_features_and_windows_of_one_night_are_refused():
    drift = Drift(columns=["laod"], thresholds={"score": DriftThreshold(watch=0.1), "other": DriftThreshold(watch=0.1)})
    issues = {issue.field: issue for issue in Monitoring(drift=drift).issues_with(["load", "machine"], ["load"])}
    assert set(issues) == {"drift.columns", "drift.thresholds"}
    assert "load" in issues["drift.columns"].expected
    for windows in ([7, 7], [1]):
        assert [one.field for one in Drift(windows=windows).issues_with([])] == ["windows"]


def test_to_act_is_beyond_to_watch():
    assert DriftThreshold(watch=0.1, act=0.2, measure=Distance.KS).act == 0.2
    with pytest.raises(ValueError, match=r"act.*more than watch=0.2"):
        DriftThreshold(watch=0.2, act=0.2)
