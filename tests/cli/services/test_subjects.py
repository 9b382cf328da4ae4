"""Verbs on the services of a domain and of the account itself, by the real command."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from mission_control_tui.model.catalogue.file.shipped import shipped
from tests.cli.command import Command
from tests.cli.services.test_operation import settings, work

DOMAIN = "acme-one.com"
REGISTRATION = "domain-registration"
REGISTRANT = (
    *("--set", "registrant-name=Acme Pty Ltd", "--set", "registrant-email=dns@acme.example"),
    *("--set", "registrant-country=AU"),
)
MORE = """
[[services]]
id = "zone"
connector = "simulator"
name = "Zone"
subject = "domain"
seats = false
name_pattern = "{domain}"
levels = [{ id = "hosted", name = "Hosted" }]

[[services.options]]
id = "primary"
name = "Primary"
type = "text"
maximum = 40

[[services]]
id = "tenant"
connector = "simulator"
name = "Tenant"
subject = "account"
name_pattern = "{account}"
levels = [{ id = "small", name = "Small Tenant" }, { id = "large", name = "Large Tenant" }]

[[services]]
id = "login"
connector = "simulator"
name = "Login"
subject = "directory"
seats = false
password = "user"
name_pattern = "{username}"
levels = [{ id = "person", name = "Person" }]

[[services]]
id = "desktop"
connector = "simulator"
name = "Desktop"
seats = false
requires = ["login", "zone", "tenant"]
name_pattern = "{username}"
levels = [{ id = "basic", name = "Basic" }]

[[products]]
id = "tenants"
name = "Tenants"
terms = [1]

[[products.levels]]
id = "small"
name = "Small"
grants_service = "tenant"
grants_level = "small"
prices = { 1 = 500 }
"""


@pytest.fixture(scope="module")
def _bought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bought") / "data"


@pytest.fixture
def sold(inside: Command, _bought: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """An account with seats and a bought domain, and services of every subject for sale; no worker of its own."""
    settings()
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    if _bought.exists():
        shutil.copytree(_bought, inside.database.parent, dirs_exist_ok=True)
        return inside
    file = inside.directory / "more.toml"
    file.write_text(shipped() + MORE)
    inside.init(("email", "popx", 5))
    inside.ok("catalogue", "load", str(file))
    inside.ok("buy", "domain-names", "--domain", DOMAIN, *REGISTRANT)
    work(inside)
    shutil.copytree(inside.database.parent, _bought)
    return inside


def of(mc: Command, *subject: str) -> dict[str, dict[str, object]]:
    """The services of a subject by their ids."""
    return {row["service"]: row for row in mc.json("status", *subject)["services"]}


def ada(mc: Command) -> None:
    """A user in the bought domain."""
    names = ("--first-names", "Ada", "--last-name", "Example")
    words = ("users", "create", "--upn", f"ada@{DOMAIN}", *names, "--password-stdin")
    mc.ok(*words, stdin=b"Correct-Horse-7\n")


def by_hand(mc: Command, statement: str, *values: str) -> None:
    """What somebody does past Mission Control, at the simulator."""
    path = mc.database.with_name("simulator.db")
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as simulator:
        assert simulator.execute(statement, values).rowcount
        simulator.commit()


def test_drift_on_a_domain_is_found_shown_and_mended(sold: Command) -> None:
    by_hand(
        sold,
        "UPDATE object SET body = json_set(body, '$.settings.\"name-servers\"', json('[\"evil.example\"]'))"
        " WHERE service = ?",
        REGISTRATION,
    )
    found = sold.run("drift", "--domain", DOMAIN, "--json")
    assert found.code == 13
    ((differing),) = found.json["drifted"]
    assert (differing["subject"], differing["service"]) == (DOMAIN, REGISTRATION)
    assert "Provisioned (drift)" in sold.ok("account", "domains").out
    (listed,) = [row for row in sold.json("account", "domains")["domains"] if row["bought"]]
    assert listed["services"][0]["drift"] is True
    sold.ok("provision", "--domain", DOMAIN, REGISTRATION, "--ticket", "T-8")
    work(sold)
    assert sold.run("drift", "--domain", DOMAIN).code == 0
    row = of(sold, "--domain", DOMAIN)[REGISTRATION]
    assert (row["light"], row["drift"], row["subject_kind"]) == ("green", False, "domain")


def test_settings_of_a_domain_change_after_the_purchase_and_undo_takes_them_back(
    sold: Command,
) -> None:
    servers = "name-servers=ns1.acme.example,ns2.acme.example"
    given = sold.json("provision", "--domain", DOMAIN, REGISTRATION, "--set", servers)
    assert given["given"][0]["domain"] == DOMAIN
    work(sold)
    assert of(sold, "--domain", DOMAIN)[REGISTRATION]["settings"]["name-servers"] == [  # type: ignore[index]
        "ns1.acme.example",
        "ns2.acme.example",
    ]
    entry = sold.json("audit", "--request", str(given["given"][0]["request"]))["entries"][-1]
    assert entry["action"] == f"change {REGISTRATION}"
    assert entry["commands"] == [
        [
            *("provision", "--domain", DOMAIN, REGISTRATION),
            *("--level", "registered", "--set", servers),
        ]
    ]
    sold.ok("undo", "audit", str(entry["id"]), "--yes")
    work(sold)
    settings_now = of(sold, "--domain", DOMAIN)[REGISTRATION]["settings"]
    assert not settings_now["name-servers"]  # type: ignore[index]


def test_suspend_resume_and_deprovision_a_domain_s_service(sold: Command) -> None:
    named = ("--domain", DOMAIN)
    sold.ok("suspend", *named, REGISTRATION)
    work(sold)
    assert of(sold, *named)[REGISTRATION]["suspended"] is True
    sold.ok("resume", *named, REGISTRATION)
    work(sold)
    ada(sold)
    sold.ok("provision", f"ada@{DOMAIN}", "managed-exchange", "--level", "popx")
    refused = sold.run("deprovision", *named, REGISTRATION, "--yes")
    assert refused.code == 5
    assert f"needed by ada@{DOMAIN} (Managed Exchange)" in refused.err
    sold.ok("deprovision", f"ada@{DOMAIN}", "managed-exchange", "--yes")
    sold.ok("deprovision", *named, REGISTRATION, "--yes")
    work(sold)
    assert of(sold, *named)[REGISTRATION]["light"] == "grey"
    sold.ok("provision", *named, REGISTRATION)
    work(sold)
    assert of(sold, *named)[REGISTRATION]["light"] == "green"


def test_a_domain_whose_connector_changed_is_checked_again_and_its_mailboxes_go_on(
    sold: Command,
) -> None:
    lines = ("[connectors.second]", 'type = "simulator"', 'path = "second.db"', "delay_factor = 0")
    settings(*lines, "[services]", f'{REGISTRATION} = "second"')
    row = of(sold, "--domain", DOMAIN)[REGISTRATION]
    assert (row["light"], row["word"]) == ("orange", "Not checked")
    ada(sold)
    sold.ok("provision", f"ada@{DOMAIN}", "managed-exchange", "--level", "popx")
    work(sold)
    assert of(sold, f"ada@{DOMAIN}")["managed-exchange"]["word"] == "Waiting"
    (request,) = sold.json("requests", "list", "--state", "succeeded")["requests"]
    sold.ok("requests", "retry", str(request["id"]))
    work(sold)
    assert of(sold, "--domain", DOMAIN)[REGISTRATION]["light"] == "green"
    assert of(sold, f"ada@{DOMAIN}")["managed-exchange"]["light"] == "green"


def test_a_zone_that_is_there_already_is_taken_over_when_asked(sold: Command) -> None:
    by_hand(
        sold,
        "UPDATE object SET body = json_set(body, '$.key', ?) WHERE service = ?",
        "theirs",
        REGISTRATION,
    )
    sold.ok("provision", "--domain", DOMAIN, REGISTRATION, "--set", "auto-renew=no")
    work(sold)
    row = of(sold, "--domain", DOMAIN)[REGISTRATION]
    assert row["light"] == "red"
    assert "adopt" in row["error"]["remedy"]  # type: ignore[index]
    sold.ok("provision", "--domain", DOMAIN, REGISTRATION, "--adopt")
    work(sold)
    assert of(sold, "--domain", DOMAIN)[REGISTRATION]["light"] == "green"


def test_another_service_of_domains_is_given_also_to_one_registered_elsewhere(
    sold: Command,
) -> None:
    sold.ok("provision", "--domain", "acme.example", "zone", "--set", "primary=ns1")
    work(sold)
    assert of(sold, "--domain", "acme.example")["zone"]["light"] == "green"
    refused = sold.run("provision", "--domain", "acme.example", REGISTRATION)
    assert (refused.code, "was not bought here" in refused.err) == (5, True)
    wrong = sold.run("provision", "--domain", DOMAIN, "databases", "--level", "small")
    assert wrong.code == 2
    assert "is not given to domains: it belongs to the user" in wrong.err
    wrong = sold.run("provision", "ada@acme.example", "--domain", DOMAIN, "zone")
    assert "mission-control provision --domain acme-one.com SERVICE" in wrong.err
    assert sold.run("suspend", "--domain", DOMAIN, "zone").code == 4
    states = {row["name"]: row["state"] for row in sold.json("account", "domains")["domains"]}
    assert states == {"acme.example": "owned elsewhere", DOMAIN: "registered"}


def test_a_service_of_the_account_is_provisioned_by_its_purchase_and_goes_with_its_last_seat(
    sold: Command,
) -> None:
    several = sold.run("buy", "tenants", "--quantity", "2")
    assert (several.code, "the account's own, which has one (give 1)" in several.err) == (3, True)
    sold.ok("buy", "tenants")
    second = sold.run("buy", "tenants", "--dry-run")
    assert (second.code, "has Tenant at level Small Tenant already" in second.err) == (5, True)
    work(sold)
    row = of(sold, "--of-account")["tenant"]
    assert (row["subject"], row["light"], row["level"]) == ("acme", "green", "small")
    sold.ok("suspend", "--of-account", "tenant")
    work(sold)
    sold.ok("resume", "--of-account", "tenant")
    work(sold)
    tried = sold.ok("remove", "tenants", "--dry-run")
    assert "acme Tenant" in tried.out
    asked = sold.run("remove", "tenants")
    assert (asked.code, "Lost: Tenant of the account, with its data" in asked.err) == (7, True)
    sold.ok("remove", "tenants", "--yes")
    assert of(sold, "--of-account")["tenant"]["wish"] == "absent"
    (request,) = sold.json("requests", "list", "--state", "queued")["requests"]
    assert sold.run("requests", "cancel", str(request["id"])).code == 6
    work(sold)
    assert of(sold, "--of-account")["tenant"]["light"] == "grey"
    assert sold.run("provision", "--of-account", "tenant", "--level", "small").code == 5


def test_what_a_user_s_service_requires_of_others_is_asked_for_and_made(sold: Command) -> None:
    ada = sold.user("ada")
    refused = sold.run("provision", ada, "desktop")
    assert refused.code == 5
    assert "mission-control provision --domain acme.example zone" in refused.err
    sold.ok("provision", "--domain", "acme.example", "zone")
    refused = sold.run("provision", ada, "desktop")
    assert "mission-control provision --of-account tenant" in refused.err
    sold.ok("buy", "tenants")
    sold.ok("provision", ada, "desktop")
    work(sold)
    lights = {key: row["light"] for key, row in of(sold, ada).items() if row["wish"] == "present"}
    assert lights == {"login": "green", "desktop": "green"}
    sold.ok("suspend", ada, "login")
    refused = sold.run("deprovision", "--of-account", "tenant", "--yes")
    assert f"needed by {ada} (Desktop)" in refused.err


def test_a_domain_s_and_the_account_s_services_are_scheduled(sold: Command) -> None:
    named = ("--domain", DOMAIN)
    sold.ok("buy", "tenants")
    work(sold)
    made = sold.json("schedule", "add", *named, "+2h", "suspend", REGISTRATION, "--yes")["schedule"]
    assert (made["subject_kind"], made["subject"], made["user"]) == ("domain", DOMAIN, None)
    sold.ok("schedule", "add", "--of-account", "+3h", "deprovision", "tenant", "--yes")
    assert sold.json("schedule", "list", *named)["schedules"] == [made]
    changed = sold.json("schedule", "change", str(made["id"]), "--when", "+1h")["schedule"]
    assert changed["due_at"] < made["due_at"]
    with contextlib.closing(sqlite3.connect(sold.database, timeout=30)) as database, database:
        database.execute("UPDATE schedules SET due_at = '2026-01-01 00:00:00.000000'")
    work(sold)
    states = {row["subject"]: row["state"] for row in sold.json("schedule", "list")["schedules"]}
    assert states == {DOMAIN: "done", "acme": "done"}
    assert of(sold, *named)[REGISTRATION]["suspended"] is True
    assert of(sold, "--of-account")["tenant"]["light"] == "grey"
    entries = sold.json("audit", "--limit", "100")["entries"]
    added = [words for entry in entries for words in entry["commands"]]
    assert ["schedule", "add", "--of-account"] in [words[:3] for words in added]
    wrong = sold.run("schedule", "add", *named, "+1h", "disable")
    assert (wrong.code, "about a user as a whole" in wrong.err) == (2, True)
    wrong = sold.run("schedule", "add", *named, "+1h")
    assert f"schedule add --domain {DOMAIN} WHEN ACTION [SERVICE]" in wrong.err


def test_one_action_for_many_domains_and_its_undo(sold: Command) -> None:
    (sold.directory / "domains.txt").write_text("acme.example\nACME-ONE.com\n")
    given = sold.json("provision", "--domains-from", "domains.txt", "zone", "--set", "primary=ns1")
    assert [row["domain"] for row in given["given"]] == ["acme.example", DOMAIN]
    work(sold)
    assert of(sold, "--domain", DOMAIN)["zone"]["light"] == "green"
    where = ("--service", "zone", "--where", "light=green")
    asked = sold.run("bulk", "start", "suspend", *where)
    assert (asked.code, "Suspend this service of 2 domains?" in asked.err) == (7, True)
    started = sold.json("bulk", "start", "suspend", *where, "--yes")["bulk"]
    work(sold)
    assert sold.json("bulk", "show", str(started["id"]))["bulk"]["progress"]["green"] == 2
    assert of(sold, "--domain", "acme.example")["zone"]["suspended"] is True
    sold.ok("undo", "bulk", str(started["id"]), "--yes")
    work(sold)
    assert of(sold, "--domain", "acme.example")["zone"]["suspended"] is False
    servers = ("--set", "name-servers=ns1.acme.example,ns2.acme.example")
    plan = sold.json(
        "bulk", "plan", "change", "--service", REGISTRATION, *servers, "--where", "light=green"
    )["plan"]
    assert (plan["queued"], plan["domains"], plan["users"]) == (1, 1, 0)
    nobody = sold.run("bulk", "plan", "suspend", "acme-two.com", "--service", "zone")
    assert (nobody.code, f"Did you mean {DOMAIN}" in nobody.err) == (4, True)
