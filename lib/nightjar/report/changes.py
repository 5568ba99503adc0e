"""What has changed about the model on a night itself; what is amiss with it is among the signals."""

from datetime import date

from nightjar.report.formatting import shorten
from nightjar.report.report_data import NightData

_SHORT = 160


def changes(night: NightData, run_date: date) -> list[str]:
    """Sentences; none where nothing has."""
    champion, refusal = night.champion, night.refusal
    texts = []
    if champion is not None and champion.since == run_date:
        texts.append(f"Version {champion.version} ({champion.name}) is champion since tonight.")
    if refusal is not None and refusal.since == run_date:
        texts.append(f"Version {refusal.version} was refused tonight: {shorten(refusal.reason, _SHORT)}")
    return texts
