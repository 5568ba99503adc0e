"""Settings of alerts: when a signal becomes one, who is to look, and where word of it is sent."""

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect, expect_names
from nightjar.settings.choices import Choice
from nightjar.settings.connections import SecretReference
from nightjar.settings.fields import Count, Positive, Whole
from nightjar.settings.secrets import ADDRESS
from nightjar.settings.validation import settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Severity(Choice):
    """How soon somebody should look: today, or at once, since scores that are served are affected."""

    WARNING = "warning"
    CRITICAL = "critical"


class SinkKind(Choice):
    """Where word of alerts goes, beside the log.

    FILE: a JSON object a line. WEBHOOK: one JSON object by POST. SLACK: the message of an incoming webhook. PAGERDUTY:
    an event of the Events API v2 for each alert. EMAIL: one message through a relay on this machine. PROMETHEUS: a text
    file for the collector of node_exporter.
    """

    FILE = "file"
    WEBHOOK = "webhook"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    EMAIL = "email"
    PROMETHEUS = "prometheus"


OF_KIND = {
    SinkKind.FILE: ("path",),
    SinkKind.WEBHOOK: ("url",),
    SinkKind.SLACK: ("secret_url",),
    SinkKind.PAGERDUTY: ("key",),
    SinkKind.EMAIL: ("sender", "recipients"),
    SinkKind.PROMETHEUS: ("path",),
}
"""Kind of sink -> what it needs."""
MAY = {
    SinkKind.WEBHOOK: ("url", "secret_url", "key"),
    SinkKind.PAGERDUTY: ("url", "key"),
}
"""Kind of sink -> what it may have, where that is more."""


@settings
class Sink:
    """One place that word of alerts is sent to. One that does not answer never fails a night.

    Attributes:
        kind: what it is.
        severity: the least that is sent there.
        path: of `file` and `prometheus`: the file.
        url: of `webhook`: where to POST, `https://` or on this machine `http://`; of `pagerduty`: another place than
            its own.
        secret_url: of `slack`, and of `webhook` in place of `url`: from where the address is read, as it is a secret.
        key: from where a secret is read: PagerDuty's routing key, or the token that a webhook gets as
            `Authorization: Bearer`.
        host: of `email`: the relay, on this machine.
        port (number): of `email`: the relay's.
        sender: of `email`: the address that it comes from.
        recipients: of `email`: the addresses that it goes to.
        timeout (s): after which it counts as dead.
    """

    kind: SinkKind
    severity: Severity = Severity.WARNING
    path: str | None = None
    url: str | None = None
    secret_url: SecretReference | None = None
    key: SecretReference | None = None
    host: str = "127.0.0.1"
    port: Annotated[Whole, Field(ge=1, le=65_535)] = 25
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    timeout: Positive = 10.0

    def issues(self) -> Iterator[Issue]:
        """Whether it has what its kind needs, and nothing that no sink of its kind reads."""
        needed, may = OF_KIND[self.kind], MAY.get(self.kind, OF_KIND[self.kind])
        for name in ("path", "url", "secret_url", "key", "sender", "recipients"):
            value, other = getattr(self, name), name == "url" and self.secret_url is not None
            if name in needed and not other:
                yield from expect(bool(value), name, value, f"a value for kind={self.kind}")
            yield from expect(name in may or not value, name, value, f"none for kind={self.kind}")
        yield from expect(self.url is None or self.secret_url is None, "url", self.url, "either url or secret_url")
        if self.url is not None:
            expected = "https://..., or http:// on this machine, without a user"
            yield from expect(_is_address(self.url), "url", self.url, expected)
        yield from expect(self.host in LOOPBACK, "host", self.host, f"a relay on this machine, one of {[*LOOPBACK]}")
        for name, addresses in {"sender": [self.sender] if self.sender else [], "recipients": self.recipients}.items():
            for address in addresses:
                fits = address.count("@") == 1 and address.isprintable() and not set(address) & set(" ,;<>")
                yield from expect(fits, name, address, "an address such as oncall@example.org")


def _is_address(url: str) -> bool:
    if ADDRESS.search(url):
        return False
    host = url.partition("://")[2].partition("/")[0].rpartition(":")
    return url.startswith("https://") or (url.startswith("http://") and (host[0] or host[2]).strip("[]") in LOOPBACK)


@settings
class Alerting:
    """When what a night's signals say becomes an alert, and who is told.

    What jobs raise as they run (a fallback, a step that stops) is an alert at once. A signal becomes one after so many
    nights in a row, and is resolved after so many without.

    Attributes:
        act_nights (nights): in a row on which a signal says ACT.
        watch_nights (nights): the same of WATCH, for what chance alone may show now and then; what the system itself
            says (jobs, schema, upstream, data, feedback) counts as ACT does.
        clear_nights (nights): in a row on which it is well again before an alert is resolved.
        cooldown (nights): after it was resolved on which the same thing raises no other alert, unless it is worse.
        flapping (alerts): of the same thing within 28 nights from which on it is flapping: one more word is sent, and
            none until it has been quiet for a week more than `clear_nights`.
        owner: who is to look at alerts.
        owners: kind of alert or signal -> who is to look at those, in place of `owner`.
        sinks: name -> where word of them is sent, beside the log.
    """

    act_nights: Count = 1
    watch_nights: Count = 3
    clear_nights: Count = 2
    cooldown: Whole = 3
    flapping: Annotated[Count, Field(ge=2)] = 3
    owner: str | None = None
    owners: dict[str, str] = field(default_factory=dict)
    sinks: dict[str, Sink] = field(default_factory=dict)

    def issues(self) -> Iterator[Issue]:
        """Whether the names of sinks are plain."""
        yield from expect_names("sinks", self.sinks)

    def owner_of(self, kind: str) -> str | None:
        """Who is to look at alerts of a kind."""
        return self.owners.get(kind, self.owner)
