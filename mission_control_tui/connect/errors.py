"""The one exception of a connector."""

from __future__ import annotations

from mission_control_tui.model.states import ErrorKind


class ConnectorError(Exception):
    """The one exception of a connector.

    `said` is the back end's own words (harmless text, no secrets), `code` its own code (SQLSTATE,
    HTTP status), `retry_after` seconds that it asked for. `outcome_unknown` means that the call may
    have taken effect: observe before anything else. `field` is what a person can correct: the id of an
    option of the service, "level", or the name of a field of the user such as "upn" or "password".
    """

    def __init__(
        self,
        kind: ErrorKind,
        said: str,
        *,
        remedy: str = "",
        code: str = "",
        retry_after: float | None = None,
        outcome_unknown: bool = False,
        field: str = "",
    ) -> None:
        super().__init__(said)
        self.kind = kind
        self.said = said
        self.remedy = remedy
        self.code = code
        self.retry_after = retry_after
        self.outcome_unknown = outcome_unknown
        self.field = field
