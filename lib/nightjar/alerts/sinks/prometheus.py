"""The sink that is a text file for Prometheus: how many alerts are open, and the night's verdict.

node_exporter's textfile collector reads it; the file is replaced as a whole, so that it is never read half written.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from nightjar.alerts.word import Word
from nightjar.settings.monitoring.alerting import Severity, Sink

VERDICTS = ("ok", "watch", "act", "unknown")


def write(sink: Sink, project: str, night: date, verdict: str | None, open_words: Sequence[Word]) -> None:
    """Write how the project stands. A night without verdict has none that is 1: a gauge that is never set reads 0.

    Args:
        sink: the file.
        project: label of every series.
        night: the newest.
        verdict: of that night; None: there is none, which counts as unknown.
        open_words: of the alerts that are open.

    Raises:
        OSError: the file cannot be written.
    """
    registry = CollectorRegistry()
    alerts = Gauge("nightjar_alerts_open", "Alerts that are not resolved", ["project", "severity"], registry=registry)
    counts = Counter(word.severity for word in open_words)
    for severity in Severity:
        alerts.labels(project, severity.value).set(counts[severity.value])
    verdicts = Gauge(
        "nightjar_verdict", "1: the verdict of the newest night", ["project", "verdict"], registry=registry
    )
    for one in VERDICTS:
        verdicts.labels(project, one).set(float(one == (verdict or "unknown")))
    nights = Gauge(
        "nightjar_newest_night", "The newest night, in days since 1970-01-01", ["project"], registry=registry
    )
    nights.labels(project).set(night.toordinal() - date(1970, 1, 1).toordinal())
    path = Path(sink.path or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry)
