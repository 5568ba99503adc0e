"""The sink that is e-mail, through a relay on this machine: what leaves it, and how, is the relay's affair."""

import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP

from nightjar.alerts.word import Word
from nightjar.settings.monitoring.alerting import Sink


def send(sink: Sink, words: Sequence[Word]) -> None:
    """One message with word of all alerts.

    Raises:
        OSError: the relay does not answer.
        SMTPException: it refuses the message.
    """
    message = EmailMessage(policy=SMTP)
    title = words[0].title if len(words) == 1 else f"{words[0].project}: {len(words)} alerts have changed"
    message["Subject"] = " ".join(title.split())
    message["From"], message["To"] = sink.sender or "", ", ".join(sink.recipients)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
    message.set_content("\n\n".join("\n".join(word.lines()) for word in words) + "\n")
    with smtplib.SMTP(sink.host, sink.port, timeout=sink.timeout) as relay:
        relay.send_message(message)
