"""`webhook`: what arrives at a real server, signed, and how its answers are understood."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.connect import ConnectorError, ErrorKind, Wish
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.provisioning.connectors.webhook.signatures import headers_of, verify
from mission_control_tui.provisioning.converge import (
    LookOutcome,
    apply_step,
    converge,
    observe_and_plan,
)
from mission_control_tui.provisioning.registry import load
from mission_control_tui.testing.converging import PASSWORD, MemoryJournal, reach
from tests.provisioning.connectors import json_objects
from tests.provisioning.connectors.webhook import WebhookBackEnd
from tests.web_service import SECRET, WebService, without_attempt


@pytest.fixture
def service(tmp_path: Path) -> Iterator[WebService]:
    started = WebService(tmp_path / "objects.json").start()
    yield started
    started.stop()


@pytest.fixture
def back_end(service: WebService) -> WebhookBackEnd:
    return WebhookBackEnd(service)


def test_a_signature_is_that_of_standard_webhooks() -> None:
    # The example of its own libraries.
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    message_id, now = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    headers = headers_of(secret, message_id, now, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert verify(secret, headers, now + 10, body) == message_id
    two = {**headers, "webhook-signature": f"v1,b2xk {headers['webhook-signature']}"}
    assert verify(secret, two, now, body) == message_id


async def test_what_is_wished_arrives_signed_and_once(
    back_end: WebhookBackEnd, service: WebService
) -> None:
    connector, name = await back_end.open(), back_end.new_name()
    assert (await connector.check()).version == "7"
    made = await reach(connector, back_end.wish(name))
    assert made.outcome is LookOutcome.DONE
    await back_end.takes(name, PASSWORD)
    assert {call.status for call in service.log} == {200}
    acts = service.acts()
    assert [call.message["step"] for call in acts] == [*json_objects.PARTS]
    keys = [call.headers["idempotency-key"] for call in acts]
    assert len({*keys}) == 2
    assert keys == [call.headers["webhook-id"] for call in acts]
    assert [("password" in repr(call.message["changes"])) for call in acts] == [True, False]
    looks = [call for call in service.log if call.message["operation"] != "apply"]
    assert not any("idempotency-key" in call.headers for call in looks)
    assert len({call.headers["webhook-id"] for call in service.log}) == len(service.log)
    assert SECRET not in repr([call.message for call in service.log])
    await reach(connector, back_end.wish(name, Wish.ABSENT, generation=2, secret=None))
    assert await back_end.written(name) is None


async def test_a_retry_has_the_key_of_the_try_whose_answer_was_lost_and_does_nothing_twice(
    back_end: WebhookBackEnd, service: WebService
) -> None:
    connector, name = await back_end.open(), back_end.new_name()
    service.lost = 1
    service.unseen = 4
    with pytest.raises(ConnectorError) as caught:
        await converge(connector, back_end.wish(name), MemoryJournal())
    assert caught.value.outcome_unknown
    look = await converge(connector, back_end.wish(name, attempt=2), MemoryJournal())
    assert look.outcome is LookOutcome.DONE
    assert service.effects == [*json_objects.PARTS]
    first, second = service.acts()[:2]
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.message != second.message, "the attempt is another"
    assert without_attempt(first.message) == without_attempt(second.message)


async def test_another_act_has_another_key(back_end: WebhookBackEnd, service: WebService) -> None:
    connector, name = await back_end.open(), back_end.new_name()
    nothing = b'{"mission_control": 1, "exists": false, "seen": "%s"}'
    told: list[tuple[dict[str, Any], bytes]] = [
        ({}, b"1"),
        ({"generation": 2}, b"1"),
        ({"epoch": 2}, b"1"),
        ({"level": back_end.large}, b"1"),
        ({"settings": {"color": "blue"}}, b"1"),
        ({"attributes": {"display_name": "Ann"}}, b"1"),
        ({"secret": None}, b"1"),
        ({"secret": "Another-Secret-1"}, b"1"),
        ({"key": "another"}, b"1"),
        ({}, b"2"),
    ]
    for more, seen in told:
        desired = back_end.wish(name, **more)
        service.answers = [(200, nothing % seen)] * 2 + [(500, b"lost")]
        _, plan = await observe_and_plan(connector, desired)
        with pytest.raises(ConnectorError):
            await apply_step(connector, desired, plan, plan.steps[0])
    keys = [call.headers["idempotency-key"] for call in service.acts()]
    assert len(keys) == len(told)
    assert len({*keys}) == len(told)
    assert all(len(key) < 128 for key in keys)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, b'{"message": "who?"}', ErrorKind.AUTH, "who?"),
        (404, b"", ErrorKind.CONFIG, "404"),
        (302, b"", ErrorKind.CONFIG, "302"),
        (503, b"", ErrorKind.UNREACHABLE, "503"),
        (429, b"", ErrorKind.THROTTLED, "429"),
        (200, b"<html>", ErrorKind.TRANSIENT, "no message"),
        (200, b'{"mission_control": 1, "exist": true}', ErrorKind.TRANSIENT, "exist"),
        (
            422,
            b'{"mission_control": 1, "error": {"kind": "quota", "said": "no room"}}',
            ErrorKind.QUOTA,
            "no room",
        ),
        (
            200,
            b'{"mission_control": 1, "error": {"kind": "conflict", "said": "taken"}}',
            ErrorKind.CONFLICT,
            "taken",
        ),
    ],
)
async def test_an_answer_is_a_typed_error(
    back_end: WebhookBackEnd,
    service: WebService,
    status: int,
    body: bytes,
    kind: ErrorKind,
    said: str,
) -> None:
    connector = await back_end.open()
    service.answers = [(status, body)]
    with pytest.raises(ConnectorError) as caught:
        await connector.look(back_end.wish("ann"))
    assert caught.value.kind is kind
    assert said in caught.value.said


async def test_a_wrong_secret_is_refused_there_and_a_replaced_one_is_taken(
    back_end: WebhookBackEnd, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET.replace("YS", "YT") + "\n")
    table = {key: value for key, value in back_end.settings.items() if key != "secret_env"}
    connector = await load("back_end", {**table, "secret_file": str(file)}, "0" * 32)
    with pytest.raises(ConnectorError, match="wrong signature") as caught:
        await connector.check()
    assert caught.value.kind is ErrorKind.AUTH
    file.write_text(SECRET + "\n")
    await connector.check()
    file.write_text("not a secret\n")
    with pytest.raises(ConnectorError, match="secret of the signatures is none") as caught:
        await connector.check()
    assert caught.value.kind is ErrorKind.CONFIG
    assert "not a secret" not in caught.value.said


async def test_a_job_that_runs_on_stays_pending(
    back_end: WebhookBackEnd, service: WebService
) -> None:
    connector, name = await back_end.open(), back_end.new_name()
    service.slow = True
    look = await reach(connector, back_end.wish(name))
    assert look.outcome is LookOutcome.PENDING
    assert look.observed.pending is not None
    assert look.observed.pending.words == "being built"
    service.slow = False
    assert (await reach(connector, back_end.wish(name))).outcome is LookOutcome.DONE


async def test_what_is_declared_has_to_be_what_the_back_end_says(back_end: WebhookBackEnd) -> None:
    connector = await back_end.open(declares={**json_objects.DECLARES, "fence": "advisory"})
    with pytest.raises(ConnectorError, match="something else than was told before: fence"):
        await connector.check()
    declares = {key: value for key, value in json_objects.DECLARES.items() if key != "options"}
    connector = await back_end.open(declares=declares)
    with pytest.raises(ConnectorError, match="something else than was told before: options"):
        await connector.check()


async def test_what_is_declared_as_null_is_any_in_the_settings(back_end: WebhookBackEnd) -> None:
    stated = {
        key: "any" if value is None else value for key, value in json_objects.DECLARES.items()
    }
    assert "any" in stated.values()
    connector = await back_end.open(declares=stated)
    assert (await connector.check()).version == "7"
    assert connector.declares.options is None


async def test_it_speaks_https_with_a_verified_certificate(tmp_path: Path) -> None:
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
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca, key)
    service = WebService(tmp_path / "objects.json", tls=tls).start()
    try:
        back_end = WebhookBackEnd(service)
        trusting = await back_end.open(ca_file=str(ca))
        await trusting.check()
        with pytest.raises(ConnectorError, match="TLS with 127") as caught:
            await (await back_end.open()).check()
        assert caught.value.kind is ErrorKind.CONFIG
    finally:
        service.stop()


async def test_wrong_settings_are_told_all_at_once() -> None:
    table = {
        "type": "webhook",
        "url": "http://hosting.provider.example/",
        "declares": {"fence": "locked"},
        "secret": SECRET,
    }
    with pytest.raises(InvalidInput) as caught:
        await load("mine", table, "0" * 32)
    told = json.dumps([[problem.where, problem.what] for problem in caught.value.problems])
    for word in ("passwords would go over the network in clear", "declares", "secret_file"):
        assert word in told
    assert SECRET not in told
