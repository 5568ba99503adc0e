"""Changes in a stream of figures by the detectors of river. Its import takes a second: see `change_detection`."""

from typing import Literal

from river.base import BinaryDriftDetector, DriftDetector
from river.drift import ADWIN, PageHinkley
from river.drift.binary import DDM

from nightjar.errors import LearningError
from nightjar.evaluation.rows import Floats
from nightjar.settings.monitoring.detection import Detector

_MODES = {"lower": "down", "higher": "up", "either": "both"}


def last_change(
    figures: Floats, detector: Detector, worse: Literal["lower", "higher", "either"], reference: int
) -> int | None:
    """The place of the last figure at which the detector fired in the direction, after those of reference; None: never.

    All figures are shown to it, those of reference too: it learns the level from them.
    ADWIN looks in both directions: only changes of the mean of its window in the direction count.

    Raises:
        LearningError: DDM, and a figure that is no share from 0 to 1.
    """
    if detector is Detector.DDM and len(figures) and not 0 <= figures.min() <= figures.max() <= 1:
        raise LearningError(f"DDM watches shares of errors, from 0 to 1, not {figures.min()} to {figures.max()}.")
    stream = _stream(detector, worse)
    change = None
    for place, figure in enumerate(figures.tolist()):
        before = stream.estimation if isinstance(stream, ADWIN) else 0.0
        stream.update(figure)
        if stream.drift_detected and place >= reference and _is_worse(stream, before, worse):
            change = place
    return change


def _stream(detector: Detector, worse: str) -> DriftDetector | BinaryDriftDetector:
    if detector is Detector.ADWIN:
        return ADWIN(clock=1, grace_period=5)  # type: ignore[no-untyped-call]
    if detector is Detector.PAGE_HINKLEY:
        return PageHinkley(min_instances=28, delta=0.5, threshold=8, mode=_MODES[worse])
    return DDM()


def _is_worse(stream: DriftDetector | BinaryDriftDetector, before: float, worse: str) -> bool:
    if not isinstance(stream, ADWIN) or worse == "either":
        return True
    return (stream.estimation < before) == (worse == "lower")
