"""A real browser, driven by its own protocol (Chrome DevTools) over a pipe: no driver, no port.

Each person has a context of their own, with its own cookies.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""What every use of it needs."""
LIMIT = 60  # seconds that an answer of the browser may take
KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, "")}


class Browser:
    """A running browser. What it says beside answers is in `events`."""

    def __init__(self, to_browser: int, from_browser: int):
        self._to, self._from, self._read, self._last = to_browser, from_browser, b"", 0
        self.events = []

    def call(self, method, session=None, **parameters):
        """The result of a method of the protocol."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        message |= {} if session is None else {"sessionId": session}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._last:
            self.events.append(answer)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def tab(self, width=1280, height=900, scheme="light"):
        """A tab of a person of its own."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            tab.call(f"{domain}.enable")
        tab.look(width, height, scheme)
        return tab

    def _next(self):
        until = time.monotonic() + LIMIT
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._from], [], [], max(0, until - time.monotonic()))
            assert ready, f"the browser says nothing for {LIMIT} s"
            part = os.read(self._from, 1 << 20)
            assert part, "the browser has ended"
            self._read += part
        message, _, self._read = self._read.partition(b"\0")
        return json.loads(message)


class Tab:
    """What one person sees."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def look(self, width, height, scheme):
        """As wide as a phone or a laptop, light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def run(self, script):
        """The value of an expression in the page; a promise's once it is kept."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def go(self, address):
        """Open an address; the status of what came."""
        return self.loaded(lambda: self.call("Page.navigate", url=address))

    def press(self, key, *, loads=False):
        """Press a key; with `loads` the page that it leads to is waited for."""
        code, text = KEYS[key] if key in KEYS else (ord(key.upper()), key)
        one = {"key": key, "windowsVirtualKeyCode": code, "text": text}

        def act():
            self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **one)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

        return self.loaded(act) if loads else act()

    def write(self, text):
        """Type a text where the focus is."""
        self.call("Input.insertText", text=text)

    def click(self, selector, *, loads=True):
        """Click what a selector names."""

        def act():
            self.run(f"document.querySelector({json.dumps(selector)}).click()")

        return self.loaded(act) if loads else act()

    def loaded(self, act):
        """Do what loads a page; the status with which it came."""
        start = len(self.browser.events)
        act()
        until = time.monotonic() + LIMIT
        while not any(self._is(one, "Page.loadEventFired") for one in self.browser.events[start:]):
            assert time.monotonic() < until, "the page does not load"
            self.run("1")
        answers = [one["params"] for one in self.browser.events[start:] if self._is(one, "Network.responseReceived")]
        pages = [one["response"]["status"] for one in answers if one["type"] == "Document"]
        return pages[-1] if pages else None

    def text(self, selector="main"):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def picture(self, path):
        """A picture of the whole page, as a file."""
        whole = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(whole["data"]))

    def console(self):
        """What stands in the console: what a policy has refused, among others."""
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [one["params"] for one in self.browser.events if any(self._is(one, kind) for kind in kinds)]

    def _is(self, event, method):
        return event.get("method") == method and event.get("sessionId") == self.session


@contextmanager
def started() -> Iterator[Browser]:
    """A browser; it ends with the block."""
    to_browser, from_browser = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = f'exec "$0" "$@" 3<&{to_browser[0]} 4>&{from_browser[1]}'
        process = subprocess.Popen(
            ["bash", "-c", command, CHROMIUM, *OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={profile}"],
            pass_fds=(to_browser[0], from_browser[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        try:
            browser = Browser(to_browser[1], from_browser[0])
            yield browser
            browser.call("Browser.close")
            process.wait(LIMIT)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            os.close(to_browser[1])
            os.close(from_browser[0])
