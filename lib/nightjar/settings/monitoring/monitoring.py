"""Settings of monitoring as a whole."""

from collections.abc import Collection, Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect_one_of
from nightjar.settings.fields import LengthText
from nightjar.settings.monitoring.alerting import Alerting
from nightjar.settings.monitoring.drift import Drift
from nightjar.settings.monitoring.performance import Performance
from nightjar.settings.monitoring.retraining import Retraining
from nightjar.settings.validation import settings


@settings
class Monitoring:
    """How nights are watched: what is measured, and who is told.

    Attributes:
        slices: columns of the feature table whose values are watched apart, besides all rows together: those that
            somebody would ask about first.
        due: by when a night's scores have to be there, counted from its midnight, such as `6h`; scores that come later
            make the night's verdict UNKNOWN. None: at any time.
        performance: how the figures of predictions are followed.
        alerting: when a signal becomes an alert, and where word of it is sent.
        retraining: when a model is trained anew though one holds, and how.
        drift: what is watched of a night's rows.
    """

    slices: list[str] = field(default_factory=list)
    due: LengthText | None = None
    performance: Performance = field(default_factory=Performance)
    alerting: Alerting = field(default_factory=Alerting)
    retraining: Retraining = field(default_factory=Retraining)
    drift: Drift = field(default_factory=Drift)

    def issues_with(self, stored: Collection[str], features: Collection[str]) -> Iterator[Issue]:
        """Whether the names in it are the project's.

        Args:
            stored: columns of the feature table.
            features: those that a model may learn from.
        """
        yield from expect_one_of("slices", self.slices, stored, "feature table's columns")
        of_drift = self.drift.issues_with(features)
        yield from (Issue(f"drift.{one.field}", one.value, one.expected) for one in of_drift)
