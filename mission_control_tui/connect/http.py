"""An HTTP client for connectors: every failure is a ConnectorError of the right kind, and no secret leaves it.

httpx does the work; it is imported with the first call.
"""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from mission_control_tui.connect.context import Context
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.http_errors import (
    kind_of,
    not_answered,
    remedy_of,
    retry_after,
    said_by,
)
from mission_control_tui.connect.secret_references import SecretReference
from mission_control_tui.connect.tls import TlsSettings
from mission_control_tui.model.states import ErrorKind

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of an answer: a page of a listing is less."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
EARLY_SECONDS = 30.0
"""A token is renewed so long before it ends."""


class Login(Protocol):
    """How each request says who we are: headers made anew for it, with the secrets in them."""

    async def headers(self, client: HttpClient, *, renew: bool) -> dict[str, str]:
        """Return the headers; with `renew` the last ones were refused."""


@dataclass(frozen=True, slots=True)
class TokenHeader:
    """A key in a header of its own, such as X-API-Key."""

    name: str
    secret: SecretReference

    async def headers(self, client: HttpClient, *, renew: bool) -> dict[str, str]:
        """Return the header with the key."""
        return {self.name: client.hides(self.secret.read())}


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A fixed token: `Authorization: Bearer ...`."""

    secret: SecretReference

    async def headers(self, client: HttpClient, *, renew: bool) -> dict[str, str]:
        """Return the header with the token."""
        return {"Authorization": f"Bearer {client.hides(self.secret.read())}"}


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """A name and a password."""

    user: str
    secret: SecretReference

    async def headers(self, client: HttpClient, *, renew: bool) -> dict[str, str]:
        """Return the header with both."""
        pair = f"{self.user}:{client.hides(self.secret.read())}"
        return {"Authorization": f"Basic {client.hides(base64.b64encode(pair.encode()).decode())}"}


@dataclass(slots=True)
class ClientCredentials:
    """OAuth 2 client credentials: a token is fetched at `url`, kept nearly to its end, renewed when refused."""

    url: str
    client_id: str
    secret: SecretReference
    scope: str = ""
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    async def headers(self, client: HttpClient, *, renew: bool) -> dict[str, str]:
        """Return the header with a token that is still good. Raises ConnectorError."""
        if renew or not self._token or time.monotonic() >= self._until:
            form = {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": client.hides(self.secret.read()),
                **({"scope": self.scope} if self.scope else {}),
            }
            reply = await client.send_once("POST", self.url, {}, form=form, writes=False)
            if reply.status != 200:
                client.raise_for(reply, {400: ErrorKind.AUTH}, writes=False)
            granted = reply.json()
            token = granted.get("access_token") if isinstance(granted, dict) else None
            if not isinstance(token, str) or not token:
                raise ConnectorError(ErrorKind.AUTH, "The token's server granted no access_token")
            seconds = granted.get("expires_in", 300)
            lasts = float(seconds) if isinstance(seconds, (int, float)) else 300.0
            self._token = client.hides(token)
            self._until = time.monotonic() + max(0.0, lasts - EARLY_SECONDS)
        return {"Authorization": f"Bearer {self._token}"}


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An answer: its status, its headers (names in small letters), its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON. Raises ConnectorError (transient)."""
        return self.decode(object)

    def decode(self, shape: type[T]) -> T:
        """Return the body as JSON of this shape (msgspec). Raises ConnectorError (transient), as a proxy may answer."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConnectorError(
                ErrorKind.TRANSIENT,
                f"The answer (status {self.status}) is not what was expected: {error}",
                remedy="See whether a proxy answers instead of the back end.",
                code="answer",
            ) from None


class HttpClient:
    """Requests to one back end, each paced, timed and logged without secrets, bodies and queries.

    `base` is put before each path as it is. `login` says who we are. `kinds` are statuses that mean another kind of
    error here than usual, and `said` finds the back end's own words in a refusal.
    """

    def __init__(
        self,
        context: Context,
        base: str,
        *,
        login: Login | None = None,
        tls: TlsSettings | None = None,
        headers: Mapping[str, str] | None = None,
        kinds: Mapping[int, ErrorKind] | None = None,
        said: Callable[[HttpReply], str] | None = None,
        seconds: float = 30.0,
    ) -> None:
        self._context = context
        self._base = base.rstrip("/")
        self._login = login
        self._tls = tls or TlsSettings()
        self._headers = {"User-Agent": "mission-control", **(headers or {})}
        self._kinds = kinds or {}
        self._said = said
        self._seconds = seconds
        self._hidden: dict[str, None] = {}
        self._client: httpx.AsyncClient | None = None

    async def get(self, path: str, **more: Any) -> HttpReply:
        """Send a GET; see `request`."""
        return await self.request("GET", path, **more)

    async def post(self, path: str, **more: Any) -> HttpReply:
        """Send a POST; see `request`."""
        return await self.request("POST", path, **more)

    async def put(self, path: str, **more: Any) -> HttpReply:
        """Send a PUT; see `request`."""
        return await self.request("PUT", path, **more)

    async def patch(self, path: str, **more: Any) -> HttpReply:
        """Send a PATCH; see `request`."""
        return await self.request("PATCH", path, **more)

    async def delete(self, path: str, **more: Any) -> HttpReply:
        """Send a DELETE; see `request`."""
        return await self.request("DELETE", path, **more)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        ok: Collection[int] = (),
        kinds: Mapping[int, ErrorKind] | None = None,
        writes: bool | None = None,
    ) -> HttpReply:
        """Return an answer whose status is 2xx or in `ok`. Raises ConnectorError for every other one.

        `body` is sent as JSON, and so is `content`, which is JSON already, byte by byte.
        `writes` says whether a lost answer leaves an unknown outcome: any method but GET,
        HEAD and OPTIONS unless it is given.
        """
        changes = method not in SAFE_METHODS if writes is None else writes
        url = self._base + path
        renewed = False
        while True:
            login = await self._login.headers(self, renew=renewed) if self._login else {}
            reply = await self.send_once(
                method,
                url,
                {**login, **(headers or {})},
                body=body,
                content=content,
                query=query,
                writes=changes,
            )
            if 200 <= reply.status < 300 or reply.status in ok:
                return reply
            if reply.status != 401 or renewed or not isinstance(self._login, ClientCredentials):
                self.raise_for(reply, kinds or {}, writes=changes)
            renewed = True

    async def send_once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        body: object = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str | int] | None = None,
        writes: bool,
    ) -> HttpReply:
        """Send one request and return whatever was answered. Raises ConnectorError when nothing was."""
        import httpx

        await self._context.pace()
        sent = {**self._headers, **headers}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        begun = time.monotonic()
        status = "no answer"
        try:
            async with self._opened().stream(
                method, url, headers=sent, content=content, data=form, params=query
            ) as response:
                reply = HttpReply(
                    response.status_code, dict(response.headers), await _body(response)
                )
                status = str(reply.status)
                return reply
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise self._redacted(not_answered(error, url, writes=writes)) from None
        finally:
            took = (time.monotonic() - begun) * 1000
            log.debug(
                "%s: %s %s -> %s in %.0f ms",
                *(self._context.name, method, self._hide(_shown(url)), status, took),
            )

    def raise_for(self, reply: HttpReply, kinds: Mapping[int, ErrorKind], *, writes: bool) -> None:
        """Raise the ConnectorError that a refusal means."""
        kind = {**self._kinds, **kinds}.get(reply.status) or kind_of(reply.status, reply.headers)
        words = self._said(reply) if self._said is not None else ""
        raise self._redacted(
            ConnectorError(
                kind,
                words or said_by(reply.status, reply.text),
                remedy=remedy_of(kind, self._context.name),
                code=str(reply.status),
                retry_after=retry_after(reply.headers, datetime.now(UTC)),
                # A server that fails in the middle may have done the act before.
                outcome_unknown=writes and reply.status >= 500,
            )
        )

    def hides(self, secret: str) -> str:
        """Return the secret, and let none of its occurrences leave in words from now on."""
        if secret:
            self._hidden.pop(secret, None)
            self._hidden[secret] = None
            while len(self._hidden) > 16:
                del self._hidden[next(iter(self._hidden))]
        return secret

    async def aclose(self) -> None:
        """Close the connections; again is harmless."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        import httpx

        if self._client is None:
            secure = self._base.startswith("https:") or isinstance(self._login, ClientCredentials)
            self._client = httpx.AsyncClient(
                verify=self._tls.context() if secure else False,
                timeout=httpx.Timeout(self._seconds, connect=min(CONNECT_SECONDS, self._seconds)),
                trust_env=False,
                follow_redirects=False,
            )
        return self._client

    def _redacted(self, error: ConnectorError) -> ConnectorError:
        error.said, error.remedy = self._hide(error.said), self._hide(error.remedy)
        error.args = (error.said,)
        return error

    def _hide(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "[secret]").replace(quote(secret, safe=""), "[secret]")
        return text


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > BODY_LIMIT:
            raise ConnectorError(
                ErrorKind.TRANSIENT,
                f"The answer is larger than {BODY_LIMIT // 2**20} MiB",
                remedy="Ask for less at a time.",
                code="answer",
            )
    return bytes(body)


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{parts.path}"
