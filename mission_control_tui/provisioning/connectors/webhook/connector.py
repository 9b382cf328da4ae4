"""The connector `webhook`: each question is a signed POST to one address; what is kept there, the settings say.

When a job that ran on there has ended, the back end may call back: that makes the worker look again, and says no more.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import msgspec

from mission_control_tui.connect import (
    ConnectorError,
    Context,
    ErrorKind,
    HttpClient,
    Note,
    SecretReference,
    SettingsReader,
    is_this_machine,
)
from mission_control_tui.connect.json_connector import JsonConnector, Sender
from mission_control_tui.connect.messages import (
    MESSAGES,
    DeclarationMessage,
    RequestMessage,
    refusal_in,
)
from mission_control_tui.connect.settings_reader import LevelLimits
from mission_control_tui.provisioning.connectors.webhook.signatures import (
    TOLERANCE,
    Refused,
    headers_of,
    verify,
)

IDEMPOTENCY_KEY = "Idempotency-Key"
CALLBACKS_KEPT = 10_000
ANY = "any"
ANYTHING = frozenset({"levels", "options", "limits", "attributes"})
"""What a back end may declare as null, for which TOML has no word: it is ANY in the settings."""


class _Callback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a back end tells when it calls back: whose object it is about."""

    mission_control: int
    key: str


@dataclass(frozen=True, slots=True)
class WebhookTransport:
    """Sends each message as a signed POST."""

    http: HttpClient
    secret: SecretReference

    async def ask(self, message: RequestMessage, *, writes: bool) -> bytes:
        """Return the body of the answer. Raises ConnectorError."""
        body = message.encode()
        message_id = _id_of(message) if writes else uuid.uuid4().hex
        headers = headers_of(self.http.hides(self.secret.read()), message_id, time.time(), body)
        if writes:
            headers[IDEMPOTENCY_KEY] = message_id
        reply = await self.http.post(
            "", content=body, headers=headers, ok=range(400, 600), writes=writes
        )
        if reply.status < 400:
            return reply.body
        refused = refusal_in(reply.body)
        if refused is not None:
            raise refused
        self.http.raise_for(reply, {404: ErrorKind.CONFIG, 409: ErrorKind.STALE}, writes=writes)
        return reply.body

    async def aclose(self) -> None:
        """Close the connections."""
        await self.http.aclose()


@dataclass(slots=True)
class _Callbacks:
    """The ids of the callbacks of the last minutes, so that none is taken twice."""

    seen: dict[str, float] = field(default_factory=dict)

    def take(self, message_id: str, now: float) -> None:
        """Remember a callback. Raises Refused for one that was taken before."""
        for old in [one for one, at in self.seen.items() if now - at > 2 * TOLERANCE]:
            del self.seen[old]
        if message_id in self.seen:
            raise Refused("it was taken before")
        if len(self.seen) >= CALLBACKS_KEPT:
            raise Refused("there are too many")
        self.seen[message_id] = now


class Webhook(JsonConnector):
    """Objects behind one address."""

    def __init__(
        self,
        sender: Sender,
        declared: DeclarationMessage,
        levels: LevelLimits,
        secret: SecretReference,
    ) -> None:
        """`levels` win over the catalogue's limits; `secret` is that of the signatures, both ways."""
        super().__init__(sender, declared, levels)
        self._secret = secret
        self._callbacks = _Callbacks()

    async def called_back(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return whose object a callback is about, by its key. Raises ConnectorError (auth) for what is not good."""
        now = time.time()
        try:
            self._callbacks.take(verify(self._secret.read(), headers, now, body), now)
            told = msgspec.json.decode(body, type=_Callback)
        except (Refused, msgspec.DecodeError) as error:
            raise ConnectorError(ErrorKind.AUTH, f"A callback was refused: {error}") from None
        if told.mission_control != MESSAGES:
            raise ConnectorError(ErrorKind.AUTH, "A callback was refused: its version")
        return told.key


def _id_of(message: RequestMessage) -> str:
    """Return the id of a message that writes: the same for the same act of the same wish, another for every other.

    All of the message is in it but the attempt, which a retry after a lost answer has another of, and the password,
    which stands there by the id that its note has: from a password's hash it could be guessed.
    """
    desired = message.desired
    if desired is None:
        return uuid.uuid4().hex
    note = Note.from_text(desired.note)
    act = msgspec.structs.replace(
        message,
        desired=msgspec.structs.replace(
            desired,
            mark=msgspec.structs.replace(desired.mark, attempt=0),
            note=replace(note, mark=replace(note.mark, attempt=0)).to_text() if note else "",
            password=None,
        ),
    )
    digest = hashlib.sha256(msgspec.json.encode(act, order="sorted")).hexdigest()[:32]
    mark = desired.mark
    return f"{mark.key}.{mark.epoch}.{mark.generation}.{digest}"


async def create(context: Context) -> Webhook:
    """Open the connector as its settings table says; raises InvalidInput with every problem."""
    reader = context.reader()
    url = reader.url("url", example="https://hosting.provider.example/messages")
    if url.startswith("http:") and not is_this_machine(urlsplit(url).hostname or ""):
        reader.note("url", "must begin with https: passwords would go over the network in clear")
    secret = reader.secret("secret")
    if secret is None:
        reader.note("secret_file", "is missing", "or secret_env, or secret_credential")
    tls = reader.tls()
    configuration = reader.mapping("configuration")
    reader.mapping("levels")
    declared = _declared(reader)
    reader.finish()
    if secret is None or declared is None:
        raise AssertionError("finish raises what is missing")
    http = HttpClient(context, url, tls=tls)
    sender = Sender(context, WebhookTransport(http, secret), configuration)
    return Webhook(sender, declared, declared.level_limits(reader), secret)


def _declared(reader: SettingsReader) -> DeclarationMessage | None:
    """Return what the settings say that the back end declares; None where that is none."""
    if not reader.has("declares"):
        reader.note("declares", "is missing", "what the back end answers to describe, as a table")
        return None
    declares = reader.mapping("declares")
    told = {
        key: None if key in ANYTHING and value == ANY else value for key, value in declares.items()
    }
    try:
        return msgspec.convert(told, DeclarationMessage)
    except msgspec.ValidationError as error:
        reader.note("declares", str(error))
        return None
