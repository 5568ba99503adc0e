"""Features of prediction time: known of tomorrow, by what they are made of."""

from pathlib import Path

from nightjar.config import compose_job, make_settings
from nightjar.expressions.clock import features_of_time
from nightjar.settings.jobs import JobName

CONF = Path(__file__).resolve().parents[2] / "conf"


def test_the_calendar_s_columns_of_flights_are_of_prediction_time_and_the_hour_is_not():
    """Prediction time is a midnight: the day's columns follow from it, the hour of departure does not."""
    overrides = ["project=flights", "run_date=2013-10-05"]
    project = make_settings(compose_job(CONF, JobName.SCORE, overrides)).project
    assert features_of_time(project) == ["weekday_sin", "weekday_cos", "yearday_sin", "yearday_cos"]


def test_where_the_cutoff_is_prediction_time_expressions_of_it_alone_count():
    project = make_settings(compose_job(CONF, JobName.SCORE, ["project=cdnow", "run_date=1998-01-05"])).project
    project.expressions |= {
        "month": "month(prediction_time)",
        "late_month": "month > 9",
        "mixed": "month + amount",
        "unsure": "rank() OVER (ORDER BY month)",
    }
    assert features_of_time(project)[-2:] == ["month", "late_month"]
