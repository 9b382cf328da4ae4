"""Writing the settings file: only the keys that were changed, everything else - comments too - stays as it is.

The file is replaced in one step and is private (0600). It is refused when it is not TOML, when the result would break
a rule, when somebody else wrote it since it was read, and when it cannot be written; nothing is changed then.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from mission_control_tui.keys import custom_keys
from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, UsageError
from mission_control_tui.model.input_files import SETTINGS_LIMIT, read_file
from mission_control_tui.settings.settings import (
    Settings,
    ThemeName,
    convert,
    environment,
    find,
    load,
    parse,
    put,
)

HEADER = (
    "# Settings of Mission Control; `mission-control docs configuration` says what there is.\n\n"
)
UNCHANGED = "Nothing was written."


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it holds: `origin` is "file", "environment", "flag" or "default"."""

    key: str
    value: object
    origin: str
    default: object


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The settings file as it was read. `content` is None where there is no file yet."""

    path: Path
    content: bytes | None

    @classmethod
    def read(cls, file: Path | None = None) -> SettingsFile:
        """Return the file that holds (see `settings.find`). Raises UsageError where it cannot be read."""
        return cls(*find(file))

    @property
    def tables(self) -> dict[str, Any]:
        """What it sets. Raises UsageError where it is not TOML."""
        return parse(self.content or b"", self.path)

    @property
    def settings(self) -> Settings:
        """What it sets over the defaults, without environment and flags. Raises UsageError where a value is wrong."""
        return convert(self.tables, self.path)

    def holds(self, key: str) -> bool:
        """Tell whether the file sets `key`."""
        return _get(self.tables, key.split(".")) is not _NOTHING

    def save(self, changes: Mapping[str, object]) -> SettingsFile:
        """Write `changes`, setting -> value, None for no longer set; the file as it is then.

        Raises UsageError or InvalidInput naming setting and rule, Conflict when the file was changed since it was
        read, UsageError when it cannot be written.
        """
        content = self.changed(changes)
        path = self.path.resolve()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone(path.parent):
                if (read_file(path, SETTINGS_LIMIT) if path.exists() else None) != self.content:
                    raise Conflict(
                        f"{self.path} was changed by somebody else meanwhile. {UNCHANGED}",
                        hint="Look at it again, and save again.",
                    )
                _replace(path, content)
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be written: {error.strerror}. {UNCHANGED}",
                hint="`mission-control locate` says where files are; look at the rights of the directory.",
            ) from error
        return SettingsFile(self.path, content)

    def changed(self, changes: Mapping[str, object]) -> bytes:
        """Return the file with `changes`, checked by the rules that it is read with; nothing is written."""
        import tomlkit

        before = self.tables
        wanted = deepcopy(before)
        document = tomlkit.parse((self.content or HEADER.encode()).decode())
        for key, value in changes.items():
            for table in (wanted, document):
                _change(table, key.split("."), value)
        settings = convert(wanted, self.path)
        keymap = _get(before, ["console", "keymap"])
        old = custom_keys.problems(keymap if isinstance(keymap, Mapping) else {})
        new = [
            problem
            for problem in custom_keys.problems(settings.console.keymap)
            if problem not in old
        ]
        if new:
            raise InvalidInput(f"These keys cannot be used. {UNCHANGED}", problems=new)
        content = tomlkit.dumps(document).encode()
        if parse(content, self.path) != wanted:
            raise UsageError(
                f"{self.path} is written in a way that cannot be changed here. {UNCHANGED}",
                hint="Change it with an editor.",
            )
        return content


_NOTHING = object()


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep other writers of this program away; a lock file would be one more file to explain."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Put `content` in place of the file in one step, private, with the owner that it had."""
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(13, "it is read-only")
    descriptor, name = tempfile.mkstemp(prefix=".settings-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if path.exists():
                owner = path.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        # Whatever stopped it, an interrupt too, leaves no half of a file behind.
        Path(name).unlink(missing_ok=True)
        raise


def _get(tables: Mapping[str, Any], keys: list[str]) -> object:
    found: Any = tables
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            return _NOTHING
        found = found[key]
    return found


def _change(table: Any, keys: list[str], value: object) -> None:
    """Set or, with None, take away one key of plain tables or of a TOML document."""
    import tomlkit

    is_document = hasattr(table, "unwrap")
    for depth, key in enumerate(keys[:-1]):
        if key not in table:
            if value is None:
                return
            if not is_document:
                table[key] = {}
            else:
                table[key] = tomlkit.inline_table() if depth else tomlkit.table()
        table = table[key]
        if not isinstance(table, Mapping):
            raise UsageError(f"{'.'.join(keys[: depth + 1])} is a value and no table. {UNCHANGED}")
    if value is None:
        table.pop(keys[-1], None)
    else:
        table[keys[-1]] = value


def understand(key: str, text: str) -> object:
    """Return the value of a setting as it is typed, in its type.

    Raises NotFound for a setting that does not exist, UsageError for a value of the wrong type.
    """
    keys = key.split(".")
    known_setting(key)
    raw: dict[str, Any] = {}
    put(raw, keys, text)
    try:
        found: Any = convert(raw, Path(key))
    except UsageError as error:
        if key != "console.theme":
            raise
        names = ", ".join(get_args(ThemeName))
        raise UsageError(f"There is no theme {text!r}.", hint=f"One of {names}.") from error
    for name in keys:
        found = found[name] if isinstance(found, Mapping) else getattr(found, name)
    return found


def known_setting(key: str) -> None:
    """Raise NotFound unless there is a setting of that name that can be set by itself."""
    if key.startswith(("connectors", "placement")):
        raise UsageError(
            "Connectors and placement are set up in the settings file itself.",
            hint="See `mission-control docs connectors`.",
        )
    table, _dot, name = key.rpartition(".")
    if table in ("services", custom_keys.WHERE) and name:
        return
    if key not in {setting.key for setting in _plain(Settings())}:
        raise NotFound(
            f"There is no setting {key!r}.", hint="`mission-control settings show` lists them."
        )


def _plain(settings: Settings) -> Iterator[Setting]:
    """Yield the settings that are there whatever the file says, with their defaults."""
    default = Settings()
    for name in ("database", "account", "private_suffixes"):
        yield Setting(name, getattr(settings, name), "", getattr(default, name))
    for table in ("worker", "console"):
        values, defaults = getattr(settings, table), getattr(default, table)
        for name in values.__struct_fields__:
            if name != "keymap":
                yield Setting(f"{table}.{name}", getattr(values, name), "", getattr(defaults, name))


def in_force(flags: Mapping[str, Any] | None = None) -> list[Setting]:
    """Return every setting that holds and where it comes from. Of a connector only its type: options may be anything.

    Raises UsageError as `settings.load` does. The password of a database's URL is not shown.
    """
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    file = SettingsFile.read()
    settings = load(file.path if file.content is not None else None, given)
    named = environment()
    found = list(_plain(settings))
    found += [Setting(f"services.{key}", name, "", None) for key, name in settings.services.items()]
    for key, stated in settings.placement.items():
        words = f"{stated.rule} of {', '.join(stated.connectors)}"
        found.append(Setting(f"placement.{key}", words, "", None))
    for key in settings.connectors:
        found.append(Setting(f"connectors.{key}", settings.connector(key).type, "", None))
    keymap = settings.console.keymap
    found += [Setting(f"{custom_keys.WHERE}.{verb}", key, "", None) for verb, key in keymap.items()]
    return [_with_origin(setting, file, named, given) for setting in found]


def _with_origin(
    setting: Setting, file: SettingsFile, named: Mapping[str, str], flags: Mapping[str, Any]
) -> Setting:
    inside = f"{setting.key}."
    if setting.key in flags:
        origin = "flag"
    elif setting.key in named or any(name.startswith(inside) for name in named):
        origin = "environment"
    else:
        origin = "file" if file.holds(setting.key) else "default"
    value = shown_database(str(setting.value)) if setting.key == "database" else setting.value
    return replace(setting, value=value, origin=origin)


def shown_database(database: str) -> str:
    """Return a database's path or URL, without the URL's password."""
    if "://" not in database:
        return database
    from mission_control_tui.model.store.engine import database_url, display_url

    return display_url(database_url(database))
