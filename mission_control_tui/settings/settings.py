"""Typed settings: a TOML file, then environment variables, then flags. Locations follow XDG and are private."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeGuard, TypeVar

import msgspec

from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.input_files import SETTINGS_LIMIT, read_file
from mission_control_tui.model.placement import Placement, PlacementRule
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.network_addresses import endpoint_problem

T = TypeVar("T")
PREFIX = "MISSION_CONTROL_"
_CONVERTING = threading.Lock()  # msgspec crashes where two threads are the first to look at a type
NO_SETTINGS = frozenset({PREFIX + name for name in ("SETTINGS", "NO_WORKER", "READ_ONLY", "RUN")})
"""Variables of that prefix which name no setting."""
COMPOSITE = "composite"
"""The type of a connector that is made of others."""
_START_ENABLED = frozenset({"simulator", COMPOSITE})
"""The types of connectors that may write unless their table says otherwise."""


@dataclass(frozen=True, slots=True)
class Locations:
    """Where files go: settings, data (the database), state (logs, history)."""

    config: Path
    data: Path
    state: Path

    @property
    def settings_file(self) -> Path:
        """The settings file, which need not exist."""
        return self.config / "settings.toml"

    @property
    def database(self) -> Path:
        """The embedded database."""
        return self.data / "mission-control.db"


def locations() -> Locations:
    """The directories of this user (XDG base directory specification); made, mode 0700, when something is written."""
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("mission-control", appauthor=False)
    return Locations(
        Path(dirs.user_config_dir), Path(dirs.user_data_dir), Path(dirs.user_state_dir)
    )


KEEP_DAYS_LEAST = 30
"""A request, bulk or schedule that ended is kept for so many days at least."""


class WorkerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the worker shares out its slots and how it waits."""

    slots: Annotated[int, msgspec.Meta(ge=2, le=200)] = 16
    """Requests that run at the same time."""
    interactive_slots: Annotated[int, msgspec.Meta(ge=1, le=100)] = 4
    """Slots of these that bulk never gets."""
    idle_seconds: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    """An embedded worker ends after so long without work."""
    lease_seconds: Annotated[float, msgspec.Meta(ge=0.5)] = 15.0
    """A worker that has been silent for so long is taken over."""
    retry_first_seconds: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """The first wait after an error that can heal; it doubles from there, with jitter."""
    retry_cap_seconds: Annotated[float, msgspec.Meta(gt=0)] = 300.0
    """The longest wait between two tries."""
    retry_limit: Annotated[int, msgspec.Meta(ge=0)] = 8
    """Tries after which an error that could heal is red all the same."""
    pause_seconds: Annotated[float, msgspec.Meta(gt=0)] = 15.0
    """How long a connector that refused our credentials is left alone before it is checked again."""
    removal_limit: Annotated[int, msgspec.Meta(ge=1)] = 20
    """More removals of one account at one connector within `removal_window_seconds` wait until somebody allows them.

    One at a composite counts at each connector that it is made of.
    """
    removal_window_seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    """See `removal_limit`."""
    schedule_ahead_seconds: Annotated[float, msgspec.Meta(ge=0)] = 86_400.0
    """An embedded worker that is idle stays for a schedule that is due within so long."""
    bin_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 30
    """Who has been in the recycling bin for so long is purged; 0 for never."""
    keep_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 180
    """Requests, bulks and schedules are deleted so long after they ended; 0 for never, otherwise KEEP_DAYS_LEAST."""
    key_file: str = ""
    """The private key for sealed passwords; empty for the default place."""

    callbacks: str = ""
    """HOST:PORT where back ends call back when a long job has ended; empty for nowhere."""

    def __post_init__(self) -> None:
        """Raise ValueError, which reading tells as any wrong value, for what its type alone does not refuse."""
        if 0 < self.keep_days < KEEP_DAYS_LEAST:
            raise ValueError(
                f"`keep_days` is 0 for ever, or at least {KEEP_DAYS_LEAST}, not {self.keep_days}"
            )
        if self.callbacks and (problem := endpoint_problem(self.callbacks)):
            raise ValueError(f"`callbacks` {problem}, not {harmless(self.callbacks)!r}")


class ConnectorSettings(msgspec.Struct, frozen=True):
    """One back end: its type, its limits, and whatever else its type documents."""

    type: str
    concurrency: Annotated[int, msgspec.Meta(ge=1)] = 8
    rate_per_second: Annotated[float, msgspec.Meta(gt=0)] = 50.0
    options: dict[str, Any] = {}


class PlacementSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several connectors that serve one service: which of them gets what is new."""

    connectors: Annotated[list[str], msgspec.Meta(min_length=1)]
    rule: PlacementRule = PlacementRule.FEWEST
    closed: list[str] = []
    """Those that take nothing new."""
    most: dict[str, Annotated[int, msgspec.Meta(ge=1)]] = {}
    """Connector -> how many it takes."""
    weights: dict[str, Annotated[float, msgspec.Meta(gt=0)]] = {}
    """Connector -> its share beside the others, which have 1, for the fewest."""

    def __post_init__(self) -> None:
        """Raise ValueError for a connector that is there twice, or that is not among the `connectors`."""
        if len(set(self.connectors)) < len(self.connectors):
            raise ValueError("`connectors` has a connector twice")
        for key in ("closed", "most", "weights"):
            if strays := sorted(set(getattr(self, key)) - set(self.connectors)):
                raise ValueError(f"`{key}` names {strays[0]}, which is not among `connectors`")


ThemeName: TypeAlias = Literal["auto", "dark", "light", "dark-16", "light-16"]


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator may choose about the screens."""

    theme: ThemeName = "auto"
    """See widgets/theme.py."""
    ascii: bool = False
    """Draw with ASCII alone; without it the terminal is asked."""
    mouse: bool = False
    """While it is on, the terminal's own selecting is off."""
    page_jump: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """Rows that a page key moves in a list; 0 for as many as are in view."""
    escape_ms: Annotated[int, msgspec.Meta(ge=10, le=5000)] = 100
    """Milliseconds that an Escape waits to become the beginning of an arrow or function key."""
    show_cursor: bool = False
    """Whether the terminal's own cursor is shown where it stands: on what has the focus."""
    confirm_above: Annotated[int, msgspec.Meta(ge=1)] = 20
    """An action on more users than this asks for a typed confirmation."""
    read_only: bool = False
    """Whether the console starts read-only."""
    keymap: dict[str, Any] = {}
    """Verb id -> keys with commas between; what is wrong in it is told and left out (`keys/custom_keys.py`)."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set; each field is documented in docs/configuration.md."""

    database: str = ""
    """A path or a URL; empty for the embedded database in the data directory."""
    account: str = ""
    """The account that commands work on when none is named."""
    private_suffixes: str = ""
    """Endings of domains in one's own networks, with commas between."""
    services: dict[str, str] = {}
    """Service id -> connector name, over what the catalogue says."""
    placement: dict[str, PlacementSettings] = {}
    """Service id -> the connectors that serve it between them, in place of a line in `services`."""
    registrar: str = ""
    """The connector that is asked whether a domain name is free; empty for none."""
    connectors: dict[str, dict[str, Any]] = {}
    """Connector name -> its settings, `type` among them; `simulator` exists without being named."""
    worker: WorkerSettings = msgspec.field(default_factory=WorkerSettings)
    console: ConsoleSettings = msgspec.field(default_factory=ConsoleSettings)

    def __post_init__(self) -> None:
        """Raise ValueError for a service that is stated to have one connector, and several."""
        if both := sorted(self.services.keys() & self.placement.keys()):
            raise ValueError(f"`services.{both[0]}` and `placement.{both[0]}` are both there")

    @property
    def own_endings(self) -> tuple[str, ...]:
        """The private suffixes, lower case and without the dot in front."""
        words = (word.strip(" .").lower() for word in self.private_suffixes.split(","))
        return tuple(filter(None, words))

    @property
    def connector_names(self) -> set[str]:
        """The connectors that a service may have."""
        return {"simulator", *self.connectors}

    def serving(self, service: str, otherwise: str) -> tuple[str, ...]:
        """Return the connectors that serve a service, which is served by `otherwise` where nothing is stated."""
        placed = self.placement.get(service)
        return tuple(placed.connectors) if placed else (self.services.get(service, otherwise),)

    @property
    def placements(self) -> dict[str, Placement]:
        """Service id -> how it is shared out, for those that several connectors serve."""
        return {
            service: Placement(
                tuple(stated.connectors),
                stated.rule,
                frozenset(stated.closed),
                stated.most,
                stated.weights,
                frozenset(filter(self.only_observes, stated.connectors)),
                {each: found for each in self.connectors if (found := self.parts_of(each))},
                frozenset(self.connector_names.difference(stated.connectors)),
            )
            for service, stated in self.placement.items()
        }

    def parts_of(self, connector: str) -> dict[str, str]:
        """Return the connector of each part of a composite; nothing of another, or of a part that is not understood."""
        parts = self.connectors.get(connector, {}).get("parts")
        tables = parts.items() if self._type(connector) == COMPOSITE and _is_table(parts) else ()
        return {part: str(table.get("connector", "")) for part, table in tables if _is_table(table)}

    def only_observes(self, connector: str) -> bool:
        """Tell whether a connector, or a part of it, may not write, as its table says."""
        started = self._type(connector) in _START_ENABLED
        mode = self.connectors.get(connector, {}).get("mode", "enabled" if started else "observe")
        return mode != "enabled" or any(
            self.only_observes(part)
            for part in self.parts_of(connector).values()
            if part != connector
        )

    def _type(self, connector: str) -> str:
        return str(self.connectors.get(connector, {}).get("type", connector))

    def connector(self, name: str) -> ConnectorSettings:
        """Return the settings of one connector. Raises UsageError when there are none."""
        table = dict(self.connectors.get(name, {}))
        if not table and name != "simulator":
            raise UsageError(
                f"The settings have no connector named {name!r}.",
                hint=f"Add a [connectors.{name}] table with its type to {settings_file()}.",
            )
        table.setdefault("type", name)
        common: dict[str, Any] = {
            key: table.pop(key)
            for key in ("type", "concurrency", "rate_per_second")
            if key in table
        }
        return _convert({**common, "options": table}, ConnectorSettings, f"connectors.{name}")


def load(file: Path | None = None, flags: dict[str, Any] | None = None) -> Settings:
    """Settings from the file, overridden by MISSION_CONTROL_* variables, overridden by `flags`.

    MISSION_CONTROL_WORKER__SLOTS=8 sets worker.slots. Raises UsageError naming file or variable, key and what was
    expected.
    """
    path, content = find(file)
    raw = parse(content or b"", path)
    if not raw and not flags and not any(key.startswith(PREFIX) for key in os.environ):
        return Settings()
    for key, value in (*environment().items(), *(flags or {}).items()):
        if value is not None:
            put(raw, key.split("."), value)
    try:
        settings = convert(raw, path)
    except UsageError:
        _blame_variables(parse(content or b"", path), path)
        raise
    simulator = settings.connectors.get("simulator", {})
    beside = _simulator_beside(settings.database)
    if beside is None or "path" in simulator or simulator.get("type", "simulator") != "simulator":
        return settings
    with_path = {**simulator, "path": str(beside)}
    connectors = {**settings.connectors, "simulator": with_path}
    return msgspec.structs.replace(settings, connectors=connectors)


def _stated_file() -> Path | None:
    """Return the settings file that the environment names."""
    value = os.environ.get(PREFIX + "SETTINGS")
    return Path(value) if value else None


def settings_file() -> Path:
    """Return the settings file that holds where none is named: the environment's, or that of the configuration."""
    return _stated_file() or locations().settings_file


def find(file: Path | None = None) -> tuple[Path, bytes | None]:
    """Return which settings file holds: `file`, or that of the environment, or that of the configuration directory.

    With its content, None where there is no file. Raises UsageError when it cannot be read, or was named and is not
    there.
    """
    named = file or _stated_file()
    path = named or settings_file()
    try:
        return path, read_file(path, SETTINGS_LIMIT)
    except FileNotFoundError as error:
        if named:
            hint = "" if file else f"{PREFIX}SETTINGS names it: correct or unset that."
            raise UsageError(f"There is no settings file at {named}.", hint=hint) from error
        return path, None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def parse(content: bytes, path: Path) -> dict[str, Any]:
    """Return the tables of a settings file. Raises UsageError where it is not TOML."""
    try:
        found: dict[str, Any] = msgspec.toml.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    return found


def convert(raw: dict[str, Any], path: Path) -> Settings:
    """Return these tables as settings. Raises UsageError naming `path`, the key and what was expected."""
    return _convert(raw, Settings, str(path))


def environment() -> dict[str, str]:
    """Return what the environment sets: the setting's name with dots -> the text."""
    return {
        key.removeprefix(PREFIX).lower().replace("__", "."): value
        for key, value in os.environ.items()
        if key.startswith(PREFIX) and key not in NO_SETTINGS
    }


def _blame_variables(raw: dict[str, Any], path: Path) -> None:
    """Raise UsageError naming the variable that does not fit; return where the file or a flag is wrong."""
    convert(raw, path)
    for key, value in environment().items():
        put(raw, key.split("."), value)
        _convert(raw, Settings, PREFIX + key.replace(".", "__").upper())


def _simulator_beside(database: str) -> Path | None:
    """Return the simulator's file for a SQLite database of one's own; None where the simulator's default is right.

    Two databases must not meet in one simulator: they would find each other's objects under equal names.
    """
    if not database or "://" in database:
        return None
    path = Path(database).expanduser().absolute()
    return None if path == locations().database.absolute() else Path(f"{path}.simulator")


def put(table: dict[str, Any], keys: list[str], value: Any) -> None:
    """Set the value at `keys` within tables, which are made. Raises UsageError where one of them is a value."""
    for key in keys[:-1]:
        inner: object = table.setdefault(key, {})
        if not isinstance(inner, dict):
            name = PREFIX + "__".join(keys).upper()
            raise UsageError(f"{name} names a setting within {key}, which is no table.")
        table = inner
    table[keys[-1]] = value


def _is_table(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _convert(raw: object, kind: type[T], where: str) -> T:
    try:
        with _CONVERTING:
            return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{where}: {error}.",
            hint="`mission-control docs configuration` lists every setting with its type.",
        ) from error
