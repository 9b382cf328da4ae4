"""The records that zones get, as the settings say: name servers, SOA, and templates by service, level and option."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mission_control_tui.connect import DesiredState, SettingsReader, TableReader
from mission_control_tui.provisioning.connectors.powerdns.records import (
    RecordSet,
    canonical,
    key_of,
)

NAME_SERVERS = "name-servers"
"""The option of a domain that names other name servers than the provider's."""
TYPES = ("A", "AAAA", "ALIAS", "CAA", "CNAME", "MX", "NS", "SRV", "TXT")
SOA_NUMBERS = {"refresh": 10800, "retry": 3600, "expire": 604800, "minimum": 3600}
TTL_LIMIT = 2**31 - 1

_PLACE = re.compile(r"\{([^{}]*)\}")
_PLACES = ("domain", "dashed", "value")
_NAME = re.compile(r"@|\*|(\*\.)?[a-z0-9_{}]([a-z0-9_{}.-]*[a-z0-9_{}])?")
_HOST = re.compile(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Template:
    """Records of one name and type, for the services and levels that match, and where an option says so."""

    name: str
    kind: str
    contents: tuple[str, ...]
    ttl: int
    services: tuple[str, ...]
    levels: tuple[str, ...]
    option: str
    values: tuple[str, ...]

    def made_for(self, desired: DesiredState) -> RecordSet | None:
        """Return its records, None where it is not for this one. Raises ValueError for a wrong value."""
        if not any(fnmatchcase(desired.service, pattern) for pattern in self.services):
            return None
        if self.levels and desired.level not in self.levels:
            return None
        found = desired.settings.get(self.option) if self.option else True
        values = [str(item) for item in found] if isinstance(found, list) else [str(found)]
        if not found or (self.values and not set(values) & set(self.values)):
            return None
        contents = dict.fromkeys(
            canonical(self.kind, _filled(content, desired.name, value))
            for content in self.contents
            for value in values
        )
        return RecordSet(self.ttl, tuple(contents))

    def key(self, domain: str) -> str:
        """Return the key of its set in the zone of `domain`."""
        name = _filled(self.name, domain, "")
        return key_of(domain if name == "@" else f"{name}.{domain}", self.kind)


@dataclass(frozen=True, slots=True)
class ZoneTemplates:
    """What each zone that is made here consists of."""

    name_servers: tuple[str, ...]
    hostmaster: str
    ttl: int
    soa: tuple[int, ...]
    records: tuple[Template, ...]

    @property
    def options(self) -> frozenset[str]:
        """The options that records depend on."""
        return frozenset({NAME_SERVERS, *filter(None, (found.option for found in self.records))})

    def name_servers_of(self, desired: DesiredState) -> RecordSet:
        """Return the NS records: the option's, or else the provider's."""
        chosen = desired.settings.get(NAME_SERVERS)
        hosts = [str(host) for host in chosen] if isinstance(chosen, list) else []
        return RecordSet(
            self.ttl, tuple(canonical("NS", host) for host in hosts or self.name_servers)
        )

    def made_for(self, desired: DesiredState) -> dict[str, RecordSet]:
        """Return all sets that the zone should have, by key. Raises ValueError for a wrong value of an option."""
        domain = desired.name
        numbers = " ".join(map(str, self.soa))
        mailbox = _mailbox(self.hostmaster or f"hostmaster@{domain}")
        made = {
            key_of(domain, "SOA"): RecordSet(
                self.ttl, (f"{canonical('NS', self.name_servers[0])} {mailbox} {numbers}",)
            ),
            key_of(domain, "NS"): self.name_servers_of(desired),
        }
        for template in self.records:
            records = template.made_for(desired)
            if records is None:
                continue
            key = template.key(domain)
            before = made.get(key)
            contents = dict.fromkeys((*(before.contents if before else ()), *records.contents))
            made[key] = RecordSet(before.ttl if before else records.ttl, tuple(contents))
        return made


def read_templates(reader: SettingsReader) -> ZoneTemplates:
    """Return what the settings table says of zones; problems are noted in the reader."""
    servers = tuple(host.rstrip(".").lower() for host in reader.texts("name_servers"))
    if not servers:
        reader.note("name_servers", "is missing", 'such as ["ns1.provider.example"]')
    for host in servers:
        if not _HOST.fullmatch(host):
            reader.note("name_servers", f"{host} is no host's name")
    hostmaster = reader.text("hostmaster", "")
    if hostmaster and hostmaster.count("@") != 1:
        reader.note("hostmaster", "must be a mail address")
    ttl = reader.integer("ttl", 3600, 1, TTL_LIMIT)
    soa = TableReader(f"{reader.where}.soa", reader.mapping("soa"), reader.problems)
    numbers = tuple(soa.integer(key, default, 1, TTL_LIMIT) for key, default in SOA_NUMBERS.items())
    soa.note_unknown_keys()
    records = tuple(
        _template(reader, number, table, ttl)
        for number, table in enumerate(reader.mappings("records"), 1)
    )
    return ZoneTemplates(servers, hostmaster, ttl, numbers, records)


def _template(
    reader: SettingsReader, number: int, table: Mapping[str, object], ttl: int
) -> Template:
    inner = TableReader(f"{reader.where}.records[{number}]", table, reader.problems)
    name = inner.text("name", "@").lower().rstrip(".")
    if not _NAME.fullmatch(name):
        inner.note("name", "is no name within a zone", '"@" is the zone itself')
    kind = inner.choice("type", TYPES, "")
    if not kind and "type" not in table:
        inner.note("type", "is missing", "one of " + ", ".join(TYPES))
    if name == "@" and kind in ("CNAME", "NS"):
        inner.note("type", f"{kind} cannot stand at the zone itself")
    contents = inner.texts("content")
    if not contents:
        inner.note("content", "is missing", 'such as ["10 mx.provider.example."]')
    option = inner.text("option", "")
    template = Template(
        name,
        kind,
        contents,
        inner.integer("ttl", ttl, 1, TTL_LIMIT),
        inner.texts("services", ("*",)),
        inner.texts("levels"),
        option,
        inner.texts("values"),
    )
    if template.values and not option:
        inner.note("values", "needs option beside it")
    _note_wrong_contents(inner, template)
    inner.note_unknown_keys()
    return template


def _note_wrong_contents(inner: TableReader, template: Template) -> None:
    for text in (template.name, *template.contents):
        for place in _PLACE.findall(text):
            if place not in _PLACES:
                inner.note(
                    "content", f"{{{place}}} is not known", "there are: {domain}, {dashed}, {value}"
                )
            elif place == "value" and (not template.option or text == template.name):
                inner.note("content", "{value} is an option's: name it with option")
    for content in template.contents:
        if "{" in content:
            continue
        try:
            canonical(template.kind, content)
        except ValueError:
            inner.note("content", f"{content} is no address of type {template.kind}")


def _filled(text: str, domain: str, value: str) -> str:
    """Return a text with its places filled."""
    places = {"domain": domain, "dashed": domain.replace(".", "-"), "value": value}
    return _PLACE.sub(lambda found: places.get(found[1], found[0]), text)


def _mailbox(address: str) -> str:
    """Return a mail address as a SOA record has it."""
    user, _, host = address.rstrip(".").lower().partition("@")
    return f"{user.replace('.', chr(92) + '.')}.{host}."
