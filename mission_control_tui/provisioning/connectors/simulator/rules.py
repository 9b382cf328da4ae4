"""The simulator's rules file: which steps each service has, and what goes wrong when."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from mission_control_tui.connect import (
    CHANGE_WORDS,
    ONE_PART,
    SETTINGS_LIMIT,
    ConnectorError,
    DesiredState,
    ErrorKind,
    InvalidInput,
    Part,
    Problem,
    TableReader,
    Usage,
    Wish,
    read_file,
)

SHIPPED = Path(__file__).with_name("rules.toml")

ANY_CALL = "*"
CALLS = ("check", "observe", "apply", "list", ANY_CALL)
BEFORE, AFTER = "before", "after"
_PATTERNS = ("service", "name", "upn", "step", "level", "state")
_SAID = {
    ErrorKind.TRANSIENT: "The simulated back end does not answer",
    ErrorKind.UNREACHABLE: "The simulated back end cannot be reached",
    ErrorKind.THROTTLED: "The simulated back end has had too many requests",
    ErrorKind.STALE: "The simulated object was changed meanwhile",
    ErrorKind.AUTH: "The simulated back end refuses our credentials",
    ErrorKind.CONFIG: "The simulated back end is not configured",
    ErrorKind.DENIED: "The simulated back end does not allow this",
    ErrorKind.INVALID: "The simulated back end finds a value invalid",
    ErrorKind.CONFLICT: "The simulated object is in the way",
    ErrorKind.QUOTA: "The simulated back end is full",
    ErrorKind.UNSUPPORTED: "The simulated back end cannot do this",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """The call that is under way, for rules to match. Empty where it does not apply."""

    call: str
    service: str = ""
    name: str = ""
    upn: str = ""
    step: str = ""
    level: str = ""
    state: str = ""
    fence: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, call: str, desired: DesiredState, step: str = "") -> Situation:
        """Return the situation of a call about `desired`."""
        return cls(
            call,
            desired.service,
            desired.name,
            str(desired.attributes.get("upn", "")),
            step,
            desired.level,
            str(desired.state),
            desired.mark.fence[1:],
        )


@dataclass(frozen=True, slots=True)
class SimulatorRule:
    """A cause of delay, failure or pending in the situations that all patterns match. Seconds are floats.

    `fail_times` None fails every time; else so often for one service of one assignment. `when`
    "after" lets the act happen and then loses the answer. `names_field` is the error's field.
    `pending` is how long the back end then says that it still works on it: in `pending_words`, until `deadline`
    seconds after the act at most, to be looked at again after `look_again_after`. `unadoptable` is why an object cannot
    be taken over as a whole.
    """

    id: str
    call: str = "apply"
    patterns: Mapping[str, str] = field(default_factory=dict)
    delay: float | None = None
    jitter: float = 0.0
    fail: ErrorKind | None = None
    fail_times: int | None = None
    when: str = BEFORE
    said: str = ""
    remedy: str = ""
    code: str = ""
    retry_after: float | None = None
    outcome_unknown: bool = False
    names_field: str = ""
    pending: float | None = None
    unadoptable: str = ""
    pending_words: str = ""
    deadline: float | None = None
    look_again_after: float | None = None

    def matches(self, situation: Situation) -> bool:
        """Return True when call and all patterns match, in any case of letters."""
        return self.call in (situation.call, ANY_CALL) and _matches(self.patterns, situation)

    def error(self) -> ConnectorError:
        """Return the error that this rule raises; only for a rule with `fail`."""
        kind = self.fail or ErrorKind.TRANSIENT
        return ConnectorError(
            kind,
            self.said or _SAID[kind],
            remedy=self.remedy or f"This is the simulator's rule {self.id}.",
            code=self.code or self.id,
            retry_after=self.retry_after,
            outcome_unknown=self.outcome_unknown or self.when == AFTER,
            field=self.names_field,
        )


@dataclass(frozen=True, slots=True)
class UsageRule:
    """What the objects that all patterns match have used: `part` of the setting or limit `of`, or of `limit`."""

    id: str
    patterns: Mapping[str, str]
    part: float
    of: str = ""
    limit: float | None = None
    unit: str = ""

    def usage(
        self, situation: Situation, kept: Mapping[str, object], limits: Mapping[str, object]
    ) -> Usage | None:
        """Return how much an object has used; None where it is not meant, or has no such limit."""
        limit = kept.get(self.of, limits.get(self.of, self.limit))
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            return None
        if not _matches(self.patterns, situation):
            return None
        return Usage(round(limit * self.part, 1), limit, self.unit)


@dataclass(frozen=True, slots=True)
class ExistingObject:
    """An object that is there before anybody asked for it: somebody else's, or without a mark."""

    service: str
    name: str
    level: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    password: str = field(default="", repr=False)
    owner: str = ""
    unadoptable: str = ""


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A rules file. Of delay, failure and pending each, the first matching rule that has it counts."""

    seed: int = 1
    parts: Sequence[tuple[str, Part]] = ()
    rules: Sequence[SimulatorRule] = ()
    usage: Sequence[UsageRule] = ()
    existing: Sequence[ExistingObject] = ()

    def layout(self, service: str) -> tuple[Part, ...]:
        """Return the parts of an object of `service`, in the order in which they are made."""
        found = tuple(part for pattern, part in self.parts if fnmatchcase(service, pattern))
        return found or ONE_PART

    def delay(self, situation: Situation) -> float:
        """Return the seconds that the call takes; the jitter is the same for the same seed and situation."""
        rule = self._first(situation, lambda rule: rule.delay is not None)
        if rule is None or rule.delay is None:
            return 0.0
        digest = hashlib.sha256(f"{self.seed}:{situation}".encode()).digest()
        return rule.delay + rule.jitter * int.from_bytes(digest[:4], "big") / 2**32

    def pending(self, situation: Situation) -> SimulatorRule | None:
        """Return the rule by which the back end goes on working after the act."""
        return self._first(situation, lambda rule: bool(rule.pending))

    def used(
        self, situation: Situation, kept: Mapping[str, object], limits: Mapping[str, object]
    ) -> dict[str, Usage]:
        """Return what an object with these settings and limits has used, by the usage's id; the first rule counts."""
        found: dict[str, Usage] = {}
        for rule in self.usage:
            if rule.id not in found and (usage := rule.usage(situation, kept, limits)):
                found[rule.id] = usage
        return found

    def unadoptable(self, situation: Situation) -> str:
        """Return why the object cannot be taken over as a whole, "" where it can."""
        rule = self._first(situation, lambda rule: bool(rule.unadoptable))
        return rule.unadoptable if rule else ""

    def failures(self, situation: Situation) -> tuple[SimulatorRule, ...]:
        """Return the rules that fail here, in order; the first that is not used up decides."""
        return tuple(
            rule for rule in self.rules if rule.fail is not None and rule.matches(situation)
        )

    def _first(
        self, situation: Situation, has: Callable[[SimulatorRule], bool]
    ) -> SimulatorRule | None:
        return next((rule for rule in self.rules if has(rule) and rule.matches(situation)), None)


def read_rules(path: Path | None) -> Ruleset:
    """Return the rules in the file `path`, or the shipped ones. Raises InvalidInput with every problem."""
    file = path or SHIPPED
    try:
        table = tomllib.loads(read_file(file, SETTINGS_LIMIT).decode("utf-8"))
    except OSError as error:
        raise _refused(file, [Problem("", f"cannot be read: {error.strerror}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refused(file, [Problem("", f"is not valid TOML: {error}")]) from error
    return parse_rules(table, file)


class RulesFile:
    """The rules in a file, or the shipped ones, read again once the file has changed. Raises InvalidInput."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen = self._state()
        self._rules = read_rules(path)

    @property
    def now(self) -> Ruleset:
        """Return the rules as they are now. Raises ConnectorError where they have become unusable."""
        state = self._state()
        if state != self._seen:
            try:
                self._rules = read_rules(self._path)
            except InvalidInput as error:
                problems = "; ".join(map(str, error.problems))
                raise ConnectorError(
                    ErrorKind.CONFIG, f"{error.what}: {problems}", remedy="Mend the file."
                ) from None
            self._seen = state
        return self._rules

    def _state(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def parse_rules(table: Mapping[str, object], file: Path) -> Ruleset:
    """Return the rules that a decoded file holds; `file` is for the words of InvalidInput."""
    top = TableReader("", table)
    problems = top.problems
    parts = [
        _part(TableReader(f"step {number}", entry, problems))
        for number, entry in enumerate(top.mappings("step"), 1)
    ]
    rules = [
        _rule(TableReader(f"rule {entry.get('id', number)}", entry, problems), number)
        for number, entry in enumerate(top.mappings("rule"), 1)
    ]
    usage = [
        _usage(TableReader(f"usage {number}", entry, problems))
        for number, entry in enumerate(top.mappings("usage"), 1)
    ]
    existing = [
        _existing(TableReader(f"existing {number}", entry, problems))
        for number, entry in enumerate(top.mappings("existing"), 1)
    ]
    seed = top.integer("seed", 1, 0, 2**63)
    top.note_unknown_keys()
    ids = [rule.id for rule in rules]
    problems += [
        Problem(f"rule {rule}", "this id is there twice", "the count of failures is kept by id")
        for rule in sorted({rule for rule in ids if ids.count(rule) > 1})
    ]
    if problems:
        raise _refused(file, problems)
    return Ruleset(seed, tuple(parts), tuple(rules), tuple(usage), tuple(existing))


def _refused(file: Path, problems: Sequence[Problem]) -> InvalidInput:
    return InvalidInput(f"The simulator's rules in {file} cannot be used", problems=problems)


def _part(reader: TableReader) -> tuple[str, Part]:
    service, name = reader.text("service", "*"), reader.text("name")
    carries = reader.texts("carries")
    if name.partition(".")[0] in CHANGE_WORDS:
        reader.note("name", f"{name} is the word for a kind of change", "call the step otherwise")
    reader.note_unknown_keys()
    return service, Part(name, carries)


def _rule(reader: TableReader, number: int) -> SimulatorRule:
    patterns = {key: reader.text(key, "") for key in _PATTERNS}
    if patterns["state"]:
        reader.choice("state", [str(wish) for wish in Wish], "")
    fail = reader.choice("fail", [str(kind) for kind in ErrorKind], "")
    rule = SimulatorRule(
        id=reader.text("id", f"rule-{number}"),
        call=reader.choice("call", CALLS, "apply"),
        patterns={key: pattern for key, pattern in patterns.items() if pattern},
        delay=_seconds(reader, "delay"),
        jitter=_seconds(reader, "jitter") or 0.0,
        fail=ErrorKind(fail) if fail else None,
        fail_times=reader.integer("fail_times", 0, 1, 10**6) if reader.has("fail_times") else None,
        when=reader.choice("when", (BEFORE, AFTER), BEFORE),
        said=reader.text("said", ""),
        remedy=reader.text("remedy", ""),
        code=reader.text("code", ""),
        retry_after=_seconds(reader, "retry_after"),
        outcome_unknown=reader.flag("outcome_unknown", False),
        names_field=reader.text("field", ""),
        pending=_seconds(reader, "pending"),
        unadoptable=reader.text("unadoptable", ""),
        pending_words=reader.text("pending_words", ""),
        deadline=_seconds(reader, "deadline"),
        look_again_after=_seconds(reader, "look_again_after"),
    )
    if not any(reader.has(key) for key in ("delay", "fail", "pending", "unadoptable")):
        reader.note(
            "fail", "is missing", "a rule has at least one of delay, fail, pending and unadoptable"
        )
    if rule.unadoptable and rule.call != "observe":
        reader.note("unadoptable", 'is for call = "observe" only')
    if rule.when == AFTER and rule.call != "apply":
        reader.note("when", '"after" is for the call apply only')
    reader.note_unknown_keys()
    return rule


def _usage(reader: TableReader) -> UsageRule:
    patterns = {key: reader.text(key, "") for key in ("service", "name", "upn", "level")}
    rule = UsageRule(
        id=reader.text("id"),
        patterns={key: pattern for key, pattern in patterns.items() if pattern},
        part=reader.number("part", 0.0, 0.0, 100.0),
        of=reader.text("of", ""),
        limit=reader.number("limit", 0.0, 0.0, 1e15) if reader.has("limit") else None,
        unit=reader.text("unit", ""),
    )
    if not rule.of and rule.limit is None:
        reader.note(
            "of", "is missing", "name the setting or limit that it is a part of, or give limit"
        )
    reader.note_unknown_keys()
    return rule


def _existing(reader: TableReader) -> ExistingObject:
    found = ExistingObject(
        service=reader.text("service"),
        name=reader.text("name"),
        level=reader.text("level", ""),
        settings=dict(reader.mapping("settings")),
        password=reader.text("password", ""),
        owner=reader.text("owner", ""),
        unadoptable=reader.text("unadoptable", ""),
    )
    reader.note_unknown_keys()
    return found


def _matches(patterns: Mapping[str, str], situation: Situation) -> bool:
    return all(
        fnmatchcase(str(getattr(situation, key)).casefold(), pattern.casefold())
        for key, pattern in patterns.items()
    )


def _seconds(reader: TableReader, key: str) -> float | None:
    return reader.number(key, 0.0, 0.0, 86400.0) if reader.has(key) else None
