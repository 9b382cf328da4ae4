"""The connector `exec`: each question is one run of a program, which says by `describe` what it keeps and can do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from mission_control_tui.connect import Context, SecretReference, SettingsReader
from mission_control_tui.connect.json_connector import JsonConnector, Sender
from mission_control_tui.connect.messages import RequestMessage
from mission_control_tui.provisioning.connectors.exec.answers import answer_of
from mission_control_tui.provisioning.connectors.exec.program import Program

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class ProgramTransport:
    """Runs the program once for each message."""

    context: Context
    program: Program
    secret: SecretReference | None

    async def ask(self, message: RequestMessage, *, writes: bool) -> bytes:
        """Return what the program wrote to stdout. Raises ConnectorError."""
        await self.context.pace()
        secret = self.secret.read() if self.secret is not None else ""
        told = msgspec.structs.replace(message, secret=secret)
        password = message.desired.password if message.desired is not None else None
        ended = await self.program.run(told.encode())
        return answer_of(ended, self.program.name, (secret, password or ""), writes=writes)

    async def aclose(self) -> None:
        """Do nothing: a program lives for one call."""


async def create(context: Context) -> JsonConnector:
    """Open the connector as its settings table says, and ask its program what it is.

    Raises InvalidInput with every problem of the table, ConnectorError where the program says nothing.
    """
    reader = context.reader()
    command = reader.texts("program")
    if not command or not Path(command[0]).is_absolute():
        reader.note(
            "program", 'must be a list that begins with an absolute path: ["/usr/local/bin/x"]'
        )
    directory = reader.path("directory") or Path("/")
    program = Program(command, directory, {"PATH": PATH, "LANG": "C.UTF-8", **_variables(reader)})
    secret = reader.secret("secret")
    configuration = reader.mapping("configuration")
    reader.mapping("levels")
    reader.finish()
    sender = Sender(context, ProgramTransport(context, program, secret), configuration)
    declared = await sender.described()
    return JsonConnector(sender, declared, declared.level_limits(reader))


def _variables(reader: SettingsReader) -> dict[str, str]:
    """Return the variables that the settings add to the program's environment."""
    found = {}
    for name, value in reader.mapping("environment").items():
        if isinstance(value, str) and "=" not in name:
            found[name] = value
        else:
            reader.note(f"environment.{name}", "must be a text")
    return found
