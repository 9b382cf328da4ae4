"""A web service of the tests' own that speaks the JSON messages: it checks signatures and idempotency keys itself.

It knows nothing of Mission Control's code; signatures are made as the page of Standard Webhooks says.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import ssl
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.provisioning.connectors import json_objects
from tests.support import LOOPBACK, free_port

SECRET = "whsec_" + base64.b64encode(b"a secret of both sides, 32 bytes").decode()


def signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    """What Standard Webhooks has in `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    told = f"{message_id}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()


def without_attempt(message: dict[str, Any]) -> dict[str, Any]:
    """What a retry has in common with the first try."""
    desired = dict(message["desired"])
    desired["mark"] = {**desired["mark"], "attempt": 0}
    desired["note"] = {**json.loads(desired["note"]), "attempt": 0}
    return {**message, "desired": desired}


@dataclass
class Call:
    """A message as it arrived: its headers, its text, and what was answered."""

    headers: dict[str, str]
    message: dict[str, Any]
    status: int


@dataclass
class WebService:
    """A server on loopback, whose objects lie in a file; `slow` ones are told to be under way."""

    file: Path
    port: int = field(default_factory=free_port)
    tls: ssl.SSLContext | None = None
    log: list[Call] = field(default_factory=list)
    slow: bool = False
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    """What is answered next instead of what the objects say."""
    lost: int = 0
    """How many acts from now on are done without an answer."""
    unseen: int = 0
    """How many looks from now on find nothing, whatever is there."""
    done: dict[str, tuple[dict[str, Any], bytes]] = field(default_factory=dict)
    """Idempotency key -> what was done under it, and the answer: it is given again, and nothing is done again."""
    effects: list[str] = field(default_factory=list)
    """The step of each act that was done."""
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it takes messages."""
        return f"{'https' if self.tls else 'http'}://{LOOPBACK}:{self.port}/messages"

    def start(self) -> Self:
        """Begin to listen."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {key.lower(): value for key, value in self.headers.items()}
                status, answer = service.answer(headers, body)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                pass

        self._server = ThreadingHTTPServer((LOOPBACK, self.port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Listen no more; open connections are cut with the next message."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Answer a message, and keep both in the log."""
        message = json.loads(body)
        wanted = signature(SECRET, headers["webhook-id"], headers["webhook-timestamp"], body)
        if self._server is None:
            status, told = 503, b""
        elif headers["webhook-signature"] != wanted:
            status, told = 401, b'{"message": "wrong signature"}'
        elif self.answers and message["operation"] != "describe":
            status, told = self.answers.pop(0)
        elif message["operation"] == "apply":
            status, told = self._done(headers["idempotency-key"], message)
        else:
            found = json_objects.answer(self.file, message)
            if message["operation"] == "observe" and self.unseen:
                self.unseen -= 1
                found = {"mission_control": 1, "exists": False, "seen": json_objects.seen_of(None)}
            if self.slow and found.get("exists"):
                found["pending"] = {"words": "being built", "look_again_after": 600}
            status, told = 200, json.dumps(found).encode()
        self.log.append(Call(headers, message, status))
        return status, told

    def _done(self, key: str, message: dict[str, Any]) -> tuple[int, bytes]:
        """Do what was not done under this key yet; the status is 0 where the answer is lost."""
        act = without_attempt(message)
        if key in self.done:
            before, told = self.done[key]
            return (200, told) if before == act else (422, b'{"message": "another act"}')
        found = json_objects.answer(self.file, message)
        told = json.dumps(found).encode()
        if "error" not in found:
            self.done[key] = act, told
            self.effects.append(message["step"])
        if self.lost:
            self.lost -= 1
            return 0, b""
        return 200, told

    def acts(self) -> list[Call]:
        """The messages that asked for something to be done."""
        return [call for call in self.log if call.message["operation"] == "apply"]


def call_back(
    address: str,
    connector: str,
    key: str,
    *,
    secret: str = SECRET,
    message_id: str = "",
    late: float = 0.0,
    method: str = "POST",
) -> int:
    """Call the worker back as a back end does; returns the status."""
    body = json.dumps({"mission_control": 1, "key": key}).encode()
    message_id = message_id or uuid.uuid4().hex
    stamp = str(int(time.time() - late))
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": signature(secret, message_id, stamp, body),
    }
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, f"/callbacks/{connector}", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
