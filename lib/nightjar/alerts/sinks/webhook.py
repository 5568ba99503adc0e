"""Sinks that take JSON by POST: any webhook, Slack's incoming webhooks, PagerDuty's Events API v2."""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from email.message import Message
from typing import IO, Any

from nightjar.alerts.lifecycle import ACKNOWLEDGED, RESOLVED
from nightjar.alerts.word import Word
from nightjar.settings import secret_values
from nightjar.settings.connections import SecretReference
from nightjar.settings.monitoring.alerting import Sink

PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
ACTIONS = {RESOLVED: "resolve", ACKNOWLEDGED: "acknowledge"}
"""State of an alert -> what PagerDuty does with its incident; of all other states it triggers one."""
LONGEST = 1024
"""Characters of PagerDuty's summary, at most."""
LONGEST_BLOCK = 3000
"""Characters of a section of Slack's, at most."""
BLOCKS = 50
"""Blocks of a message of Slack's, at most."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows none: it would lead secrets and alerts to a place that nobody has named."""

    def redirect_request(
        self,
        req: urllib.request.Request,  # noqa: ARG002
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def post_plain(sink: Sink, words: Sequence[Word]) -> None:
    """One object with all changes: `{"source": "nightjar", "alerts": [...]}`, each as the table has it.

    Raises:
        OSError: it is not taken.
        ValueError: the secret is not where settings say.
    """
    headers = {} if sink.key is None else {"Authorization": f"Bearer {_secret(sink.key)}"}
    _post(sink, _address(sink), {"source": "nightjar", "alerts": [word.plain() for word in words]}, headers)


def post_slack(sink: Sink, words: Sequence[Word]) -> None:
    """One message with a section for each alert; what is more than it may hold is counted.

    Raises:
        OSError: it is not taken.
        ValueError: the secret is not where settings say.
    """
    shown = words[: BLOCKS - 1]
    blocks = [_section(f"*{_plain(word.title)}*\n{_plain(chr(10).join(word.lines()[1:]))}") for word in shown]
    more = len(words) - len(shown)
    blocks += [_section(f"{more} more alerts: python jobs/alerts.py")] if more else []
    title = words[0].title if len(words) == 1 else f"{words[0].project}: {len(words)} alerts have changed"
    _post(sink, _address(sink), {"text": _plain(title), "blocks": blocks}, {})


def post_pagerduty(sink: Sink, words: Sequence[Word]) -> None:
    """An event for each alert; PagerDuty keeps those of one alert together by its id.

    Raises:
        OSError: one is not taken.
        ValueError: the secret is not where settings say.
    """
    if sink.key is None:
        raise ValueError("no routing key is named")
    key = _secret(sink.key)
    for word in words:
        _post(sink, sink.url or PAGERDUTY, _event(word, key), {})


def _event(word: Word, key: str) -> dict[str, Any]:
    action = ACTIONS.get(word.state, "trigger")
    event: dict[str, Any] = {"routing_key": key, "event_action": action, "dedup_key": word.alert_id}
    if action != "trigger":
        return event
    payload = {
        "summary": f"{word.project}: {word.message}"[:LONGEST],
        "source": f"nightjar/{word.project}",
        "severity": word.severity,
        "component": word.subject,
        "class": word.kind,
        "custom_details": word.plain(),
    }
    return event | {"payload": payload}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:LONGEST_BLOCK]}}


def _plain(text: str) -> str:
    """A text in which Slack sees no link or mention: what Slack's own rules ask to be escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _address(sink: Sink) -> str:
    return sink.url or _secret(sink.secret_url)


def _secret(reference: SecretReference | None) -> str:
    if reference is None:
        raise ValueError("neither url nor secret_url is named")
    value, problem = secret_values.read(reference)
    if problem:
        raise ValueError(problem)
    return value


def _post(sink: Sink, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    if not url.startswith(("https://", "http://")):
        raise ValueError("the address is none of https:// or http://")
    request = urllib.request.Request(  # noqa: S310  (the scheme is one of two)
        url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}, method="POST"
    )
    with _OPENER.open(request, timeout=sink.timeout) as answer:
        answer.read(1)
