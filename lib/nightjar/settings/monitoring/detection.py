"""Settings of how changes are looked for in figures that come night by night."""

from nightjar.settings.choices import Choice


class Detector(Choice):
    """Which procedure looks for a change.

    CUSUM: cumulative sums with a limit calibrated on the figure's own nights; the one to take. PAGE_HINKLEY: the same
    from a running mean. ADWIN: a window that is cut where its parts differ; it needs hundreds of nights. DDM: of shares
    of errors alone, from their lowest level.
    """

    CUSUM = "cusum"
    PAGE_HINKLEY = "page_hinkley"
    ADWIN = "adwin"
    DDM = "ddm"
