"""Settings of how the figures of predictions are followed."""

from nightjar.settings.monitoring.detection import Detector
from nightjar.settings.validation import settings


@settings
class Performance:
    """How a change is looked for in the figures of predictions, night by night.

    Attributes:
        detector: `cusum`: cumulative sums, whose limit is fitted to the figure's own nights so that of all figures
            together one night in 50 gives a false alarm at most. The others are for comparison, with limits of their
            own: `page_hinkley`, `adwin`, which needs hundreds of nights, and `ddm`, of shares of errors alone.
    """

    detector: Detector = Detector.CUSUM
