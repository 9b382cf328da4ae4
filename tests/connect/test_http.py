"""The HTTP client of connectors against a server of our own: kinds of errors, lost answers, no secret in words."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from mission_control_tui.connect import (
    BasicLogin,
    BearerToken,
    ClientCredentials,
    ConnectorError,
    Context,
    ErrorKind,
    HttpClient,
    SecretReference,
    TlsSettings,
    TokenHeader,
)
from mission_control_tui.connect.http_errors import retry_after, said_by

SECRET = "k3y-very-secret/+"

Answer = Callable[[str, dict[str, str], bytes], Awaitable[tuple[int, dict[str, str], bytes] | None]]


@asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server on this machine; where `answer` gives None the connection is cut instead."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = dict(part.lower().split(": ", 1) for part in rest)
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            kept = dict(part.split(": ", 1) for part in rest)
            said = await answer(line, {key.lower(): kept[key] for key in kept}, body)
            if said is not None:
                status, more, content = said
                fields = {"Content-Length": str(len(content)), "Connection": "close", **more}
                text = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{text}\r\n".encode() + content)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"


def always(status: int, body: bytes = b"", **headers: str) -> Answer:
    async def answer(line: str, sent: dict[str, str], content: bytes):  # type: ignore[no-untyped-def]
        return status, {key.replace("_", "-"): value for key, value in headers.items()}, body

    return answer


def context(pace: Callable[[], Awaitable[None]] | None = None) -> Context:
    return Context("dns", {}, "here", pace) if pace else Context("dns", {}, "here")


@pytest.fixture
def secret(tmp_path: Path) -> SecretReference:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    return SecretReference("connectors.dns.key_file", file)


async def refused(base: str, method: str = "GET", **more: object) -> ConnectorError:
    client = HttpClient(context(), base, seconds=0.5)
    try:
        with pytest.raises(ConnectorError) as caught:
            await client.request(method, "/x", **more)  # type: ignore[arg-type]
        return caught.value
    finally:
        await client.aclose()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ErrorKind.CONFIG),
        (400, ErrorKind.INVALID),
        (401, ErrorKind.AUTH),
        (403, ErrorKind.DENIED),
        (404, ErrorKind.STALE),
        (409, ErrorKind.CONFLICT),
        (412, ErrorKind.STALE),
        (418, ErrorKind.INVALID),
        (422, ErrorKind.INVALID),
        (429, ErrorKind.THROTTLED),
        (500, ErrorKind.TRANSIENT),
        (502, ErrorKind.UNREACHABLE),
        (503, ErrorKind.UNREACHABLE),
        (507, ErrorKind.QUOTA),
    ],
)
async def test_a_status_is_a_kind_with_the_back_ends_words(status: int, kind: ErrorKind) -> None:
    async with serving(always(status, b'{"error": "no such thing"}')) as base:
        for method, writes in (("GET", False), ("PUT", True)):
            error = await refused(base, method)
            assert (error.kind, error.code) == (kind, str(status))
            assert error.said == f"{status}: no such thing"
            assert error.outcome_unknown is (writes and status >= 500)
            assert error.remedy


async def test_retry_after_is_read_in_both_forms() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    assert retry_after({"retry-after": "7"}, now) == 7
    assert retry_after({"retry-after": format_datetime(now + timedelta(seconds=90))}, now) == 90
    assert retry_after({"retry-after": format_datetime(now - timedelta(hours=1))}, now) == 0
    for none in ({}, {"retry-after": "soon"}, {"retry-after": "-3"}):
        assert retry_after(none, now) is None
    async with serving(always(503, Retry_After="3")) as base:
        error = await refused(base)
        assert (error.kind, error.retry_after) == (ErrorKind.THROTTLED, 3.0)


def test_words_are_found_in_json_and_in_pages() -> None:
    assert said_by(400, '{"errors": [{"detail": "too long"}, "bad"]}') == "400: too long; bad"
    assert said_by(502, "<html><h1>Bad\n gateway</h1></html>") == "502: Bad gateway"
    assert said_by(500, "") == "Status 500, without a word"
    assert len(said_by(500, "x" * 10_000)) < 600


async def test_before_sending_nothing_happened_and_after_it_the_outcome_is_unknown() -> None:
    async def cut(line: str, sent: dict[str, str], content: bytes) -> None:
        return None

    async def silent(line: str, sent: dict[str, str], content: bytes) -> None:
        await asyncio.sleep(3)

    for answer, code in ((cut, "lost"), (silent, "timeout")):
        async with serving(answer) as base:
            for method, unknown in (("GET", False), ("POST", True)):
                error = await refused(base, method)
                assert (error.kind, error.code) == (ErrorKind.UNREACHABLE, code)
                assert error.outcome_unknown is unknown
            assert not (await refused(base, "POST", writes=False)).outcome_unknown
    error = await refused(base, "POST")  # nobody listens there any more
    assert (error.kind, error.code) == (ErrorKind.UNREACHABLE, "connect")
    assert not error.outcome_unknown
    assert (await refused("nothing://x")).kind is ErrorKind.CONFIG


async def test_a_good_answer_is_read_and_paths_are_put_behind_the_base_as_they_are() -> None:
    lines: list[tuple[str, bytes]] = []

    async def answer(line: str, sent: dict[str, str], content: bytes):  # type: ignore[no-untyped-def]
        lines.append((line, content))
        return (404, {}, b"gone") if "gone" in line else (201, {}, b'{"id": 7}')

    paced: list[str] = []

    async def pace() -> None:
        paced.append("one")

    async with serving(answer) as base:
        client = HttpClient(context(pace), f"{base}/api/v1/")
        reply = await client.put("/zones/acme.example.", body={"a": 1}, query={"full": 1})
        assert (reply.status, reply.json()) == (201, {"id": 7})
        assert (await client.delete("", ok=(404,), query={"x": "gone"})).status == 404
        with pytest.raises(ConnectorError, match="not what was expected"):
            reply.decode(list)
        await client.aclose()
        await client.aclose()
    assert lines[0] == ("PUT /api/v1/zones/acme.example.?full=1 HTTP/1.1", b'{"a": 1}')
    assert lines[1][0] == "DELETE /api/v1?x=gone HTTP/1.1"
    assert paced == ["one", "one"]


async def test_no_secret_is_in_words_or_log(
    secret: SecretReference, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(line: str, sent: dict[str, str], content: bytes):  # type: ignore[no-untyped-def]
        return 400, {}, json.dumps({"error": f"bad header {sent}"}).encode()

    caplog.set_level(logging.DEBUG, logger="mission_control_tui")
    async with serving(echo) as base:
        for login in (
            TokenHeader("X-API-Key", secret),
            BearerToken(secret),
            BasicLogin("us", secret),
        ):
            client = HttpClient(context(), base, login=login)
            with pytest.raises(ConnectorError) as caught:
                await client.get("/x", query={"token": SECRET})
            await client.aclose()
            assert "[secret]" in caught.value.said
            shown = repr((caught.value.said, str(caught.value), client, login)) + caplog.text
            assert SECRET not in shown
            assert "dXM6azN5" not in shown
    assert "GET 127.0.0.1/x -> 400" in caplog.text


async def test_a_token_is_fetched_kept_and_renewed_when_it_is_refused(
    secret: SecretReference,
) -> None:
    granted: list[str] = []
    good = "t1"

    async def answer(line: str, sent: dict[str, str], content: bytes):  # type: ignore[no-untyped-def]
        if line.startswith("POST /token"):
            granted.append(good)
            return 200, {}, json.dumps({"access_token": good, "expires_in": 3600}).encode()
        return (200 if sent.get("authorization") == f"Bearer {good}" else 401), {}, b"{}"

    async with serving(answer) as base:
        client = HttpClient(context(), base, login=ClientCredentials(f"{base}/token", "me", secret))
        await client.get("/a")
        await client.get("/b")
        assert granted == ["t1"]
        good = "t2"
        await client.get("/c")
        assert granted == ["t1", "t2"]
        await client.aclose()


async def test_a_certificate_is_verified_and_ours_is_shown(tmp_path: Path) -> None:
    ca, key = tmp_path / "ca.pem", tmp_path / "ca.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", ca),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(ca, key)
    server.load_verify_locations(ca)
    server.verify_mode = ssl.CERT_REQUIRED
    async with serving(always(200, b"{}"), server) as base:
        trusting = HttpClient(context(), base, tls=TlsSettings("", ca, ca, key))
        assert (await trusting.get("/")).status == 200
        await trusting.aclose()
        stranger = HttpClient(context(), base, tls=TlsSettings())
        with pytest.raises(ConnectorError, match="TLS with 127") as caught:
            await stranger.get("/")
        assert caught.value.kind is ErrorKind.CONFIG
        await stranger.aclose()
    with pytest.raises(ConnectorError, match=r"no\.pem"):
        TlsSettings("connectors.dns", tmp_path / "no.pem").context()
