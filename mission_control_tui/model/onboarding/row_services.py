"""The services that the rows of a file give: read by the catalogue, and counted against the seats that are free.

Columns: Level, with Service where several have such a level; or Services ("managed-exchange=popx; databases/a=small");
and Settings, as "quota=2048" or "managed-exchange.quota=2048; databases.engine=...".
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.catalogue.types import Catalogue, PasswordUse, Service
from mission_control_tui.model.errors import InvalidInput, MissionControlError, Problem
from mission_control_tui.model.onboarding.files.read import ImportRow
from mission_control_tui.model.plan import SeatLine
from mission_control_tui.model.states import SubjectKind, Wish
from mission_control_tui.model.store.batches import batches
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.views import Seats

_PARTS = re.compile(r"\s*[;\n]\s*")


@dataclass(slots=True)
class RowServices:
    """Reads what rows give, and takes the seats for it, one row after the other; `seats` are those of the account."""

    catalogue: Catalogue
    seats: Mapping[tuple[str, str], Seats]
    used: dict[tuple[str, str], int] = field(default_factory=dict)
    makes_passwords: bool = False
    """Whether anything that is given has a password of its own."""

    def given(self, row: ImportRow) -> tuple[ActionParams, ...]:
        """Return what the row gives, by ids, what others require first. Raises InvalidInput at its columns."""
        try:
            wanted = self._settings(row, self._services(row))
        except InvalidInput:
            raise
        except MissionControlError as error:
            raise _invalid("level" if "level" in row.gives else "services", error) from error
        ordered = sorted(wanted, key=lambda given: len(self.catalogue.requirements(given.service)))
        return tuple(ordered)

    def take(
        self, given: tuple[ActionParams, ...], has: Container[tuple[str, str]] = frozenset()
    ) -> None:
        """Take the seats for all of it, or none; `has` are services whose level changes.

        Raises InvalidInput where a seat is missing.
        """
        needed = [
            (service.id, params.level or "")
            for params in given
            if (service := self.catalogue.service(params.service)).seats
        ]
        for key in needed:
            owned = self.seats.get(key)
            if owned is None or owned.free <= self.used.get(key, 0):
                free = "has not bought any" if owned is None else f"has {owned.free} free"
                what = f"there is no seat left of {key[0]} {key[1]}: the account {free}"
                raise InvalidInput(
                    what, problems=[Problem("level", what, "buy more, or leave it empty")]
                )
        for key in needed:
            self.used[key] = self.used.get(key, 0) + 1
        self.makes_passwords = self.makes_passwords or any(
            self.catalogue.service(params.service).password is PasswordUse.OWN
            for params in given
            if (params.service, params.instance) not in has
        )

    @property
    def lines(self) -> tuple[SeatLine, ...]:
        """The seats before and after."""
        return tuple(
            SeatLine(*key, owned.owned, owned.owned, owned.free, owned.free - used)
            for key, used in self.used.items()
            if (owned := self.seats.get(key)) is not None
        )

    def _services(self, row: ImportRow) -> list[ActionParams]:
        found: list[ActionParams] = []
        for part in filter(None, _PARTS.split(row.gives.get("services", ""))):
            named, _, level = part.partition("=")
            service, _, instance = named.strip().partition("/")
            found.append(self._one(self._service(service, "services"), level.strip(), instance))
        level = row.gives.get("level", "")
        named = row.gives.get("service", "")
        if named or level:
            service = self._service(named, "service") if named else self._having(level)
            found.append(self._one(service, level, ""))
        return found

    def _service(self, named: str, column: str) -> Service:
        try:
            return self.catalogue.service(named)
        except MissionControlError as error:
            raise _invalid(column, error) from error

    def _one(self, service: Service, level: str, instance: str) -> ActionParams:
        if service.subject is not SubjectKind.USER:
            raise InvalidInput(
                "", problems=[Problem("services", f"{service.name} is not given to users")]
            )
        if not level and len(service.levels) > 1:
            levels = ", ".join(known.id for known in service.levels)
            what = f"the level of {service.name} is missing"
            raise InvalidInput(what, problems=[Problem("level", what, f"one of: {levels}")])
        chosen = service.level(level) if level else service.levels[0]
        return ActionParams(service.id, chosen.id, {}, instance.strip())

    def _having(self, level: str) -> Service:
        """Return the one service for users that has this level."""
        having = [
            service
            for service in self.catalogue.services
            if service.subject is SubjectKind.USER
            and level.casefold()
            in {name.casefold() for known in service.levels for name in (known.id, known.name)}
        ]
        if len(having) == 1:
            return having[0]
        what = f"{len(having)} services have this level" if having else "no service has this level"
        hint = "say which in a column Service" if having else "see: mission-control services list"
        raise InvalidInput(what, problems=[Problem("level", what, hint)])

    def _settings(self, row: ImportRow, found: list[ActionParams]) -> list[ActionParams]:
        for part in filter(None, _PARTS.split(row.gives.get("settings", ""))):
            name, equals, value = part.partition("=")
            service, dot, option = name.strip().rpartition(".")
            at = [
                number
                for number, params in enumerate(found)
                if not dot or self.catalogue.service(service).id == params.service
            ]
            if not equals or len(at) != 1:
                what = "a setting is not OPTION=VALUE, or of no service of this row"
                hint = "write quota=2048, or managed-exchange.quota=2048"
                raise InvalidInput(what, problems=[Problem("settings", what, hint)])
            params = found[at[0]]
            found[at[0]] = replace(params, settings={**params.settings, option: value.strip()})
        for params in found:
            try:
                self.catalogue.service(params.service).validate_settings(
                    params.level or "", params.settings
                )
            except InvalidInput as error:
                raise _invalid("settings", error) from error
        return found


def _invalid(where: str, error: MissionControlError) -> InvalidInput:
    said = [Problem(where, f"{one.where} {one.what}".strip(), one.hint) for one in error.problems]
    return InvalidInput(error.what, problems=said or [Problem(where, error.what, error.hint)])


async def services_of(
    session: AsyncSession, user_ids: Sequence[str]
) -> dict[str, dict[tuple[str, str], str]]:
    """Return the levels of the services that users have, by service and instance."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for some in batches(user_ids):
        rows = await session.execute(
            select(
                AssignmentRow.user_id,
                AssignmentRow.service_id,
                AssignmentRow.instance,
                AssignmentRow.level_id,
            ).where(
                AssignmentRow.user_id.in_(some),
                AssignmentRow.wish != Wish.ABSENT,
                AssignmentRow.subject_kind == SubjectKind.USER,
            )
        )
        for user_id, service_id, instance, level_id in rows:
            found.setdefault(str(user_id), {})[service_id, instance] = level_id
    return found
