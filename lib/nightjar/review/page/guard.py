"""What every request must be, and what every answer says: by which address, from where, how long."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 64 * 1024  # bytes of a form
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: then browsers send "null" as the origin of forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
SAFE = ("GET", "HEAD")


class Guard:
    """Refuses what is not addressed to this page, or comes from another one; a rebound name of a host among it."""

    def __init__(self, app: ASGIApp, origins: Mapping[str, str]) -> None:
        """Guard an application.

        Args:
            app: what answers.
            origins: host, as requests name it -> the origin of the page under that host.
        """
        self._app, self._origins = app, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        answer: Callable[[Scope, Receive, Send], Awaitable[None]] = self._app
        if refusal is not None:
            answer = PlainTextResponse(f"{refusal[1]}\n", refusal[0])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await answer(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Status and reason, where a request is refused."""
        own = self._origins.get(headers.get("host", "").lower())
        if own is None:
            return 421, f"This page is at {' or '.join(dict.fromkeys(self._origins.values()))}."
        if method in SAFE:
            return None
        if method != "POST":
            return 405, "Expected GET or POST."
        origin = headers.get("origin")
        if origin is None or origin.lower() != own:
            return 403, f"This form comes from {origin or 'nowhere'}, expected {own}. Nothing was done."
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            return 413, f"A form has a stated length of at most {LARGEST:,} bytes."
        return None


def origins_of(port: int, public: str | None) -> dict[str, str]:
    """Host, as requests name it -> the page's origin there.

    Args:
        port: where it listens on loopback.
        public: its origin for browsers where a proxy stands before it; None: there is none.

    Example:
        >>> origins_of(8421, None)["localhost:8421"]
        'http://localhost:8421'
        >>> origins_of(8421, "https://reviews.example.org")
        {'reviews.example.org': 'https://reviews.example.org'}
        >>> origins_of(8421, "https://Reviews.example.org:443")  # a port that browsers leave out
        {'reviews.example.org': 'https://reviews.example.org'}
    """
    written = [public] if public is not None else [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost")]
    origins = [_as_browsers_say(one) for one in written]
    return {urlsplit(origin).netloc: origin for origin in origins}


def _as_browsers_say(origin: str) -> str:
    """An origin in small letters, without the port that its scheme has anyway."""
    lowered = origin.lower()
    return lowered.removesuffix(":443" if lowered.startswith("https:") else ":80")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, each its last value; what is too long is cut off at the limit, and refused as no form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return {}
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        return {}
