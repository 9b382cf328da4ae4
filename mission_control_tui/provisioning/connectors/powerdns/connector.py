"""PowerDNS as a connector: `name` is a zone, with the records that the settings' templates make for it.

The whole mark, with its fence, is metadata of the zone beside what records are ours; `account` repeats the owner in
short, so that listing needs no call for each zone. The API compares nothing before it writes: the fence is advisory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from mission_control_tui.connect import (
    ADOPT,
    LEVELS,
    LIST,
    LIST_UNMARKED,
    OWNER_MARK,
    SUSPEND,
    Applied,
    Change,
    ChangePlan,
    ConnectorError,
    Context,
    Declaration,
    DesiredState,
    ErrorKind,
    FenceGrade,
    Health,
    HttpClient,
    Listed,
    Note,
    ObservedState,
    Page,
    Part,
    PlanAction,
    Step,
    SubjectKind,
    TokenHeader,
    Wish,
    blocked,
    is_this_machine,
    plan_difference,
    read_short_mark,
    short_mark,
    step_to_do,
)
from mission_control_tui.provisioning.connectors.powerdns.records import (
    DISABLED,
    RecordSet,
    with_serial,
)
from mission_control_tui.provisioning.connectors.powerdns.targets import (
    Adopted,
    Suspended,
    Target,
    ZoneRules,
    taken_over,
)
from mission_control_tui.provisioning.connectors.powerdns.templates import (
    NAME_SERVERS,
    read_templates,
)
from mission_control_tui.provisioning.connectors.powerdns.zone import (
    METADATA,
    Kept,
    MetadataReply,
    Zone,
    ZoneReply,
    read_zone,
    zone_of,
)

ZONE = "zone"
KINDS = ("Native", "Master")
LAYOUT = (Part(ZONE),)
SETTING = f"settings.{NAME_SERVERS}"
DECLARES = Declaration(
    capabilities=frozenset({LEVELS, SUSPEND, LIST, LIST_UNMARKED, OWNER_MARK, ADOPT}),
    fence=FenceGrade.ADVISORY,
    subjects=frozenset({SubjectKind.DOMAIN}),
    options=frozenset({NAME_SERVERS}),
    sets=frozenset({SETTING}),
    usage=frozenset({"records"}),
    paces=True,
)
"""What is kept without templates; each option that records depend on is kept as well."""

_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{1,63}")
_IN_CLEAR = "the API key goes over the network in clear: let a proxy with TLS stand before the API"


class _Listed(msgspec.Struct):
    """A row of the list of zones."""

    id: str
    name: str
    account: str = ""


class _Server(msgspec.Struct):
    """What the server says of itself."""

    daemon_type: str
    version: str


class PowerDNS:
    """Zones of one server; see docs/connectors.md for the settings."""

    def __init__(
        self,
        http: HttpClient,
        installation: str,
        *,
        rules: ZoneRules,
        kind: str,
        warnings: tuple[str, ...],
    ) -> None:
        """`kind` is what new zones are, `warnings` what `check` says of the settings."""
        self._http = http
        self._installation = installation
        self._rules = rules
        self._kind = kind
        self._warnings = warnings
        self.declares = replace(DECLARES, options=rules.templates.options)

    async def check(self) -> Health:
        """Log in and see that an authoritative server answers."""
        reply = await self._http.get("", kinds={404: ErrorKind.CONFIG})
        server = reply.decode(_Server)
        if server.daemon_type != "authoritative":
            raise ConnectorError(
                ErrorKind.CONFIG,
                f"This is PowerDNS {server.daemon_type}, which keeps no zones",
                remedy="Set url to the address of the authoritative server's API.",
            )
        return Health(f"PowerDNS {server.version}", warnings=self._warnings)

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return the zone of this name, with its records."""
        if not _NAME.fullmatch(desired.name):
            return ObservedState(exists=False)
        return self._observed(await self._look(desired.name))

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return the difference, each set of records by itself."""
        if desired.wish is not Wish.ABSENT and not _NAME.fullmatch(desired.name):
            return blocked(
                ErrorKind.INVALID,
                f"{desired.name} is no name of a zone",
                "A zone is called as its domain, in ASCII and without a final dot.",
            )
        try:
            return self._difference(desired, observed)
        except ValueError as error:
            return blocked(
                ErrorKind.INVALID,
                f"The records of {desired.name} cannot be made: {error}",
                "Correct the option that the records are made from.",
            )

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied | None:
        """Look again, and write what still differs."""
        zone = await self._look(desired.name)
        fresh = self.plan(desired, self._observed(zone))
        if step_to_do(fresh, step.name) is None:
            return None
        if fresh.action is PlanAction.DELETE:
            await self._http.delete(_path(desired.name), ok=(404,))
            return None
        zone = await self._create(desired) if zone is None else taken_over(desired, zone)
        await self._write(desired, zone, self._rules.target(desired, zone))
        return Applied(external_id=zone.id)

    async def list(self, cursor: str, marked_only: bool) -> Page:
        """Return all zones: PowerDNS tells them in one answer, however many."""
        reply = await self._http.get(
            "/zones", query={"dnssec": "false"}, kinds={404: ErrorKind.CONFIG}
        )
        rows = []
        for found in reply.decode(list[_Listed]):
            mark = read_short_mark(found.account, self._installation)
            if not marked_only or (mark and mark.installation == self._installation):
                rows.append(Listed(found.name.rstrip("."), mark, found.id))
        return Page(tuple(sorted(rows, key=lambda row: row.name)))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _look(self, name: str) -> Zone | None:
        reply = await self._http.get(_path(name), ok=(404,))
        if reply.status == 404:
            # A wrong address or server is not found, too, and only then the list of zones is not either.
            query = {"zone": f"{name}."}
            listed = await self._http.get("/zones", query=query, kinds={404: ErrorKind.CONFIG})
            if listed.decode(list[_Listed]):
                raise ConnectorError(
                    ErrorKind.STALE,
                    f"The zone {name} was made this very moment",
                    remedy="It is observed and planned again.",
                )
            return None
        kept = await self._http.get(_path(name, "/metadata/", METADATA))
        return read_zone(reply.decode(ZoneReply), kept.decode(MetadataReply).metadata)

    def _observed(self, zone: Zone | None) -> ObservedState:
        if zone is None:
            return ObservedState(exists=False)
        hosts = _hosts(zone)
        own = sorted(self._rules.templates.name_servers)
        settings = {} if hosts == own else {NAME_SERVERS: hosts}
        return zone.observed(self._installation, self._rules.state_of(zone), settings)

    def _difference(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        zone = Zone(desired.name)
        if observed.exists:
            zone = taken_over(desired, zone_of(desired, observed))
        target = self._rules.target(desired, zone)
        facts: dict[str, object] = {
            f"record {key}": found.lines() if found else [] for key, found in target.changes.items()
        }
        there: dict[str, object] = {
            f"record {key}": zone.records[key].lines()
            for key in target.changes
            if key in zone.records
        }
        settings: dict[str, object] = {}
        if stated := desired.settings.get(NAME_SERVERS):
            # Stated name servers are told as the option that they are.
            settings[NAME_SERVERS] = (
                _hosts(zone) if facts.pop(f"record {zone.apex[1]}", None) else stated
            )
        if observed.exists and self._account_differs(desired, observed, zone):
            facts["account"], there["account"] = short_mark(desired.mark), zone.account
        plan = plan_difference(
            desired,
            replace(observed, attributes=there, settings=settings),
            # The other options are compared by the records that they make.
            DECLARES,
            layout=LAYOUT,
            facts=facts,
        )
        if plan.action is PlanAction.DELETE:
            return _with_what_others_lose(plan, zone)
        if target.left and plan.action is not PlanAction.BLOCKED and observed.exists:
            return replace(plan, reason=f"Left as others made them: {', '.join(target.left)}")
        return plan

    def _account_differs(self, desired: DesiredState, observed: ObservedState, zone: Zone) -> bool:
        """Tell whether `account` is to be written although the owner's change does not say so already."""
        if zone.account == short_mark(desired.mark):
            return False
        passes_on = read_short_mark(zone.account, self._installation) is not None
        return not passes_on or desired.mark.same_owner(observed.mark)

    async def _create(self, desired: DesiredState) -> Zone:
        zone = Zone(desired.name)
        made = self._rules.templates.made_for(desired)
        # A zone is made with a SOA that is answered: the server refuses it otherwise.
        first = made if desired.state is Wish.PRESENT else {key: made[key] for key in zone.apex}
        body = {
            "name": f"{desired.name}.",
            "kind": self._kind,
            "account": short_mark(desired.mark),
            "nameservers": [],
            "soa_edit_api": "DEFAULT",
            "rrsets": [_sent(key, found, 0) for key, found in first.items()],
        }
        reply = await self._http.post("/zones", body=body, kinds={409: ErrorKind.STALE})
        return read_zone(reply.decode(ZoneReply), ())

    async def _write(self, desired: DesiredState, zone: Zone, target: Target) -> None:
        """Write fence, owner and records, in an order in which a new look finds what is still to do."""
        going = desired.wish is Wish.ABSENT
        level = zone.note.level if going and zone.note else desired.level
        note = Note(desired.mark, level)
        after = Kept(str(desired.state), zone.kept.adopted, dict(target.made))
        # Until the records are written those of before are ours as well.
        first = Kept(after.state, after.adopted, _both(zone.kept.records, target.made))
        if (zone.note, zone.kept) != (note, first):
            await self._keep(desired.name, note, first)
        if zone.account != short_mark(desired.mark):
            await self._http.put(_path(desired.name), body={"account": short_mark(desired.mark)})
        if target.changes:
            changes = [
                _sent(key, found, zone.serial) if found else _removed(key)
                for key, found in target.changes.items()
            ]
            # What goes makes room: a CNAME is alone at its name.
            changes.sort(key=lambda change: str(change["changetype"]))
            await self._http.patch(_path(desired.name), body={"rrsets": changes})
        if after != first:
            await self._keep(desired.name, note, after)

    async def _keep(self, name: str, note: Note, kept: Kept) -> None:
        body = {"kind": METADATA, "metadata": [note.to_text(), kept.to_text()]}
        await self._http.put(_path(name, "/metadata/", METADATA), body=body)


def _path(name: str, *more: str) -> str:
    return "".join(("/zones/", quote(f"{name}.", safe=""), *more))


def _hosts(zone: Zone) -> list[str]:
    """Return the name servers of a zone."""
    servers = zone.records.get(zone.apex[1])
    return sorted(
        content.removesuffix(DISABLED).rstrip(".").lower()
        for content in (servers.contents if servers else ())
    )


def _sent(key: str, records: RecordSet, serial: int) -> dict[str, Any]:
    """Return a set of records as the API takes it."""
    name, _, kind = key.rpartition(" ")
    sent = []
    for content in records.contents:
        bare = content.removesuffix(DISABLED)
        text = with_serial(bare, serial) if kind == "SOA" else bare
        sent.append({"content": text, "disabled": content.endswith(DISABLED)})
    return {
        "name": f"{name}.",
        "type": kind,
        "ttl": records.ttl,
        "changetype": "REPLACE",
        "records": sent,
    }


def _removed(key: str) -> dict[str, Any]:
    name, _, kind = key.rpartition(" ")
    return {"name": f"{name}.", "type": kind, "changetype": "DELETE", "records": []}


def _both(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> dict[str, list[str]]:
    keys = {**before, **after}
    return {key: list(dict.fromkeys((*after.get(key, ()), *before.get(key, ())))) for key in keys}


def _with_what_others_lose(plan: ChangePlan, zone: Zone) -> ChangePlan:
    """Return the plan of a removal that tells of records that others made, which go with the zone."""
    theirs = sorted(zone.records.keys() - zone.kept.records.keys() - set(zone.apex))
    if not theirs:
        return plan
    lost = Change("attributes.records that others made", theirs, None, takes_away=True)
    (step,) = plan.steps
    return replace(plan, steps=(Step(step.name, (*step.changes, lost)),))


async def create(context: Context) -> PowerDNS:
    """Open the connector as its settings table says; raises InvalidInput with every problem."""
    reader = context.reader()
    url = reader.url(
        "url", "http://127.0.0.1:8081", example="https://dns1.provider.example:8081"
    ).rstrip("/")
    server = reader.text("server", "localhost")
    key = reader.secret("api_key")
    if key is None:
        reader.note("api_key_file", "is missing", "or api_key_env, or api_key_credential")
    rules = ZoneRules(
        read_templates(reader),
        Suspended(reader.choice("suspended", tuple(Suspended), Suspended.REFUSE)),
        Adopted(reader.choice("adopted", tuple(Adopted), Adopted.KEEP)),
    )
    kind = reader.choice("kind", KINDS, "Native")
    tls = reader.tls()
    reader.finish()
    parts = urlsplit(url)
    warnings = (
        () if parts.scheme == "https" or is_this_machine(parts.hostname or "") else (_IN_CLEAR,)
    )
    http = HttpClient(
        context,
        f"{url}/api/v1/servers/{quote(server, safe='')}",
        login=TokenHeader("X-API-Key", key) if key else None,
        tls=tls,
    )
    return PowerDNS(http, context.installation, rules=rules, kind=kind, warnings=warnings)
