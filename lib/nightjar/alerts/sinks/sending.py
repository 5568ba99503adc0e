"""Word of alerts into one sink, whatever its kind; what went wrong, in words that show no secret."""

import smtplib
from collections.abc import Sequence
from datetime import date
from http.client import HTTPException

from nightjar.alerts.sinks import mail, prometheus, textfile, webhook
from nightjar.alerts.word import Word
from nightjar.settings.monitoring.alerting import Severity, Sink, SinkKind


class SinkError(Exception):
    """A sink has not taken word of alerts: why, without its address or secret."""


def takes(sink: Sink, word: Word) -> bool:
    """Whether a sink is sent word of an alert of such severity."""
    return sink.severity is Severity.WARNING or word.severity == Severity.CRITICAL.value


def send(sink: Sink, words: Sequence[Word]) -> None:
    """Hand word of some alerts to a sink, in order.

    Raises:
        SinkError: it did not take them all. What it has taken may be sent to it again.
    """
    senders = {
        SinkKind.FILE: textfile.append,
        SinkKind.WEBHOOK: webhook.post_plain,
        SinkKind.SLACK: webhook.post_slack,
        SinkKind.PAGERDUTY: webhook.post_pagerduty,
        SinkKind.EMAIL: mail.send,
    }
    try:
        senders[sink.kind](sink, words)
    except (OSError, HTTPException, smtplib.SMTPException, ValueError) as error:
        raise SinkError(_sentence(error)) from error


def show_state(sink: Sink, project: str, night: date, verdict: str | None, words: Sequence[Word]) -> None:
    """Write how a project stands into a sink that holds a state: of Prometheus the file.

    Raises:
        SinkError: the file cannot be written.
    """
    try:
        prometheus.write(sink, project, night, verdict, words)
    except (OSError, ValueError) as error:
        raise SinkError(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    code = getattr(error, "code", None)
    if code is not None:
        return f"it answers with status {code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"the relay refuses {len(error.recipients)} of the recipients"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the relay answers with {error.smtp_code}"
    reason = getattr(error, "reason", error)  # what urllib wraps
    text = getattr(reason, "strerror", None) or str(reason)
    return f"{type(reason).__name__}: {text}"
