"""Sinks against real listeners of this machine: what they are sent, and what follows where one is dead."""

import json
import socket
import threading
from datetime import date
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller

from nightjar.alerts import recording
from nightjar.alerts.delivery import deliver
from nightjar.alerts.recording import Alert
from nightjar.alerts.sinks.sending import SinkError, send
from nightjar.alerts.word import Word
from nightjar.masking.values import Masking
from nightjar.monitoring import verdict
from nightjar.monitoring.signals import State
from nightjar.monitoring.verdict import Verdict
from nightjar.settings.connections import SecretReference
from nightjar.settings.monitoring.alerting import Severity, Sink, SinkKind
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

NIGHT = date(2024, 4, 4)
HIDES = Masking(frozenset({"machine"})).text
WORD = Word(
    "machines", "a1b2" * 16, "new", "fallback", "champion", "critical", "3 <scores> & 4.", NIGHT, date(2024, 4, 2)
)
OVER = Word("machines", "a1b2" * 16, "resolved", "fallback", "champion", "critical", "3 scores.", NIGHT, NIGHT)


class Listener(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        """Nothing onto the terminal."""


@pytest.fixture
def server():
    """A listener on a free port; `received` has the path, headers and JSON of each POST."""
    with HTTPServer(("127.0.0.1", 0), Listener) as listener:
        listener.received, listener.status = [], 202
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()


def address(server, path="/hook"):
    return f"http://127.0.0.1:{server.server_port}{path}"


def test_a_webhook_gets_all_changes_in_one_object_with_its_token(server, monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "t0p-secret")
    send(Sink(SinkKind.WEBHOOK, url=address(server), key=SecretReference(env="HOOK_TOKEN")), [WORD, OVER])
    ((path, headers, body),) = server.received
    assert (path, headers["Authorization"], headers["Content-Type"]) == (
        "/hook",
        "Bearer t0p-secret",
        "application/json",
    )
    assert [one["state"] for one in body["alerts"]] == ["new", "resolved"]
    assert body["alerts"][0]["first_seen"] == "2024-04-02"


def test_slack_gets_a_message_with_a_section_for_each_alert_and_no_markup_of_texts(server, tmp_path):
    (tmp_path / "url").write_text(address(server, "/services/T0/B0/x") + "\n")
    sink = Sink(SinkKind.SLACK, secret_url=SecretReference(file=str(tmp_path / "url")))
    send(sink, [WORD])
    send(sink, [WORD] * 60)
    (path, _, one), (_, _, many) = server.received
    assert path == "/services/T0/B0/x"
    assert one["text"] == "machines: CRITICAL fallback of champion (new)"
    assert one["blocks"][0]["type"] == "section"
    assert "3 &lt;scores&gt; &amp; 4." in one["blocks"][0]["text"]["text"]
    assert len(many["blocks"]) == 50
    assert "11 more alerts" in many["blocks"][-1]["text"]["text"]


def test_pagerduty_gets_an_event_for_each_alert_and_keeps_those_of_one_together(server, monkeypatch):
    monkeypatch.setenv("ROUTING", "r0uting-key")
    send(Sink(SinkKind.PAGERDUTY, url=address(server), key=SecretReference(env="ROUTING")), [WORD, OVER])
    trigger, resolve = (body for _, _, body in server.received)
    assert trigger["event_action"] == "trigger"
    assert trigger["routing_key"] == "r0uting-key"
    assert {"summary", "source", "severity"} <= set(trigger["payload"])
    assert trigger["payload"]["severity"] == "critical"
    assert resolve == {"routing_key": "r0uting-key", "event_action": "resolve", "dedup_key": trigger["dedup_key"]}


@pytest.fixture
def relay():
    class Keep:
        def __init__(self):
            self.envelopes = []

        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  (so that aiosmtpd finds it)
            self.envelopes.append(envelope)
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Keep(), hostname="127.0.0.1", port=port)
    controller.start()
    yield controller
    controller.stop()


def test_the_relay_gets_one_message_for_all_changes(relay):
    sink = Sink(
        SinkKind.EMAIL, port=relay.port, sender="nightjar@example.org", recipients=["a@example.org", "b@example.org"]
    )
    send(sink, [WORD, OVER])
    (envelope,) = relay.handler.envelopes
    message = message_from_bytes(envelope.content, policy=default)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("nightjar@example.org", ["a@example.org", "b@example.org"])
    assert message["Subject"] == "machines: 2 alerts have changed"
    assert "first seen on 2024-04-02" in message.get_content()
    assert "3 <scores> & 4." in message.get_content()


def test_what_a_sink_answers_is_told_without_its_secrets_and_redirects_are_not_followed(server, monkeypatch):
    monkeypatch.setenv("SLACK", address(server, "/services/s3cret"))
    sink = Sink(SinkKind.SLACK, secret_url=SecretReference(env="SLACK"))
    for status in (302, 403):
        server.status = status
        with pytest.raises(SinkError, match=f"^it answers with status {status}$"):
            send(sink, [WORD])
    assert [path for path, _, _ in server.received] == ["/services/s3cret"] * 2
    monkeypatch.setenv("SLACK", "file:///etc/passwd")
    with pytest.raises(SinkError, match="the address is none of https:// or http://"):
        send(sink, [WORD])
    monkeypatch.delenv("SLACK")
    with pytest.raises(SinkError, match="the environment variable SLACK is not set"):
        send(sink, [WORD])


def stored(warehouse, *names):
    rows = arrow.read(warehouse, "notifications").to_pylist()
    return sorted(tuple(row[name] for name in names) for row in rows)


def test_a_dead_sink_is_an_alert_that_the_others_are_told_of_and_gets_later_what_it_has_missed(tmp_path, server):
    warehouse = Warehouse(str(tmp_path / "warehouse"), "machines")
    verdict.store(warehouse, Verdict(State.ACT, "It is so.", None, ()), NIGHT, "m", "1")
    recording.record(
        warehouse, [Alert("fallback", "champion", Severity.CRITICAL, "3 scores of machine=m7.")], NIGHT, "s"
    )
    lines, prom = tmp_path / "deep" / "alerts.jsonl", tmp_path / "nightjar.prom"
    sinks = {
        "file": Sink(SinkKind.FILE, path=str(lines)),
        "hook": Sink(SinkKind.WEBHOOK, url=address(server)),
        "prom": Sink(SinkKind.PROMETHEUS, path=str(prom)),
        "quiet": Sink(SinkKind.FILE, path=str(tmp_path / "quiet"), severity=Severity.CRITICAL),
    }
    server.status = 500
    deliver(warehouse, sinks, "d1", HIDES)
    assert [(one["kind"], one["subject"]) for one in map(json.loads, lines.read_text().splitlines())] == [
        ("fallback", "champion"),
        ("sink", "hook"),
    ]
    assert len((tmp_path / "quiet").read_text().splitlines()) == 1
    assert "m7" not in lines.read_text()  # what people are not to see leaves by no sink
    failed = [row for row in arrow.read(warehouse, "notifications").to_pylist() if row["status"] == "failed"]
    assert [(row["sink"], row["error"]) for row in failed] == [("hook", "it answers with status 500")]
    gauges = prom.read_text()
    assert 'nightjar_alerts_open{project="machines",severity="warning"} 1.0' in gauges
    assert 'nightjar_verdict{project="machines",verdict="act"} 1.0' in gauges
    assert 'nightjar_verdict{project="machines",verdict="ok"} 0.0' in gauges

    server.status = 200
    deliver(warehouse, sinks, "d2", HIDES)
    assert [one["kind"] for one in server.received[-1][2]["alerts"]] == ["fallback"]
    states = [row["state"] for row in arrow.read(warehouse, "alerts").sort_by("changed_at").to_pylist()]
    assert states == ["new", "new", "resolved"]
    sent = len(server.received)
    deliver(warehouse, sinks, "d3", HIDES)
    deliver(warehouse, sinks, "d4", HIDES)
    assert len(server.received) == sent  # once each
    assert [json.loads(line)["state"] for line in lines.read_text().splitlines()] == ["new", "new", "resolved"]


def test_word_of_an_old_night_is_sent_nobody(tmp_path):
    warehouse, lines = Warehouse(str(tmp_path / "warehouse"), "machines"), tmp_path / "lines"
    verdict.store(warehouse, Verdict(State.OK, "Well.", None, ()), NIGHT, "m", "1")
    recording.record(warehouse, [Alert("budget", "score", Severity.WARNING, "Slow.")], date(2024, 3, 20), "s")
    deliver(warehouse, {"file": Sink(SinkKind.FILE, path=str(lines))}, "d", HIDES)
    assert not lines.exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"kind": "webhook"}, "url: found None, expected a value for kind=webhook"),
        ({"kind": "webhook", "url": "http://example.org/x"}, "url: found .* expected https://"),
        ({"kind": "webhook", "url": "https://ada:pass@example.org/x"}, "url: found .* expected https://"),
        ({"kind": "slack", "url": "https://example.org/x"}, "secret_url: found None"),
        ({"kind": "pagerduty"}, "key: found None, expected a value for kind=pagerduty"),
        (
            {"kind": "email", "host": "mail.example.org"},
            "host: found 'mail.example.org', expected a relay on this machine",
        ),
        ({"kind": "email", "sender": "a@b", "recipients": ["a@b\nBcc: c@d"]}, "recipients: found"),
        ({"kind": "file", "path": "x", "url": "https://example.org"}, "url: found .*, expected none for kind=file"),
    ],
)
def test_a_sink_that_lacks_something_or_has_too_much_is_refused(options, expected):
    with pytest.raises(ValueError, match=expected):
        Sink(**options)
