"""What a job's settings refuse because one part of them does not fit another."""

from pathlib import Path

import pytest

from nightjar.config import compose_job, make_settings
from nightjar.errors import UsageError
from nightjar.settings.environment import Placement
from nightjar.settings.jobs import JobName

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.slow
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
