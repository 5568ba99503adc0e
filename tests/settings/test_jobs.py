"""What a job's settings refuse because one part of them does not fit another."""

from pathlib import Path

import pytest

from nightjar.config import compose_job, make_settings
from nightjar.errors import UsageError
from nightjar.settings.environment import Placement
from nightjar.settings.jobs import JobName

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.parametrize(
    ("job", "dates"),
    [(JobName.BUILD_FEATURES, "run_date=2013-10-05"), (JobName.NIGHTLY, "project_dates=true")],
    ids=["build_features", "nightly"],
)
def test_a_placement_is_that_of_a_feature_group_there_is(job, dates):
    def settings(group):
        return make_settings(
            compose_job(CONF, job, ["project=flights", dates, f"+environment.placements.{group}=CO_BUCKETED"])
        )

    assert settings("route").environment.placements == {"route": Placement.CO_BUCKETED}
    with pytest.raises(UsageError, match=r"environment\.placements: found 'rout', expected one of .*'route'"):
        settings("rout")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["action=FREE", "reason=gone"], "resource: found None, expected a resource with action=FREE"),
        (["action=FREE", "resource=source/x", "reason=' '"], "reason: found ' ', expected a reason"),
        (["resource=source/x"], "resource: found 'source/x', expected a resource with action=FREE, and none without"),
    ],
    ids=["no resource", "no reason", "no action"],
)
def test_a_lease_is_freed_by_name_and_with_a_reason(given, told):
    with pytest.raises(UsageError, match=told):
        make_settings(compose_job(CONF, JobName.LEASES, ["project=flights", *given]))
    freed = ["action=FREE", "resource=score/2024-02-07", "reason=the host is gone"]
    made = make_settings(compose_job(CONF, JobName.LEASES, ["project=flights", *freed]))
    assert (made.resource, made.reason) == ("score/2024-02-07", "the host is gone")
