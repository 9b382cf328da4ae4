"""What a connector is written with: this package alone, `from mission_control_tui.connect import ...`.

`PROTOCOL` is the protocol's version. Within one version names stay, fields and arguments are only added, with
defaults; what goes is announced in the change log one release before.
"""

from mission_control_tui.connect.context import Context, no_pace
from mission_control_tui.connect.declaration import (
    ADOPT,
    CAPABILITIES,
    LASTING_FENCE,
    LEVELS,
    LIST,
    LIST_UNMARKED,
    MEMBERS,
    OWNER_MARK,
    PASSWORD,
    SUSPEND,
    UNLIMITED,
    Declaration,
    FenceGrade,
    Limit,
)
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.http import (
    BasicLogin,
    BearerToken,
    ClientCredentials,
    HttpClient,
    HttpReply,
    TokenHeader,
)
from mission_control_tui.connect.marks import (
    Mark,
    Note,
    fence_text,
    read_short_mark,
    short_mark,
    with_fence,
)
from mission_control_tui.connect.planning import (
    NOTHING_TO_DO,
    ONE_PART,
    ROLE,
    Part,
    blocked,
    plan_difference,
    same,
    step_to_do,
    with_step,
)
from mission_control_tui.connect.protocol import (
    CHANGE_WORDS,
    Applied,
    Change,
    ChangePlan,
    Connector,
    ConnectorFactory,
    DesiredState,
    Health,
    Listed,
    ObservedState,
    Page,
    Pending,
    Step,
    Usage,
)
from mission_control_tui.connect.secret_references import SecretReference
from mission_control_tui.connect.settings_reader import (
    ENABLED,
    OBSERVE,
    LevelLimits,
    SettingsReader,
)
from mission_control_tui.connect.table_reader import TableReader
from mission_control_tui.connect.tls import TlsSettings, is_this_machine
from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.input_files import SETTINGS_LIMIT, read_file
from mission_control_tui.model.states import ErrorKind, PlanAction, SubjectKind, Wish

PROTOCOL = 1

__all__ = [
    "ADOPT",
    "CAPABILITIES",
    "CHANGE_WORDS",
    "ENABLED",
    "LASTING_FENCE",
    "LEVELS",
    "LIST",
    "LIST_UNMARKED",
    "MEMBERS",
    "NOTHING_TO_DO",
    "OBSERVE",
    "ONE_PART",
    "OWNER_MARK",
    "PASSWORD",
    "PROTOCOL",
    "ROLE",
    "SETTINGS_LIMIT",
    "SUSPEND",
    "UNLIMITED",
    "Applied",
    "BasicLogin",
    "BearerToken",
    "Change",
    "ChangePlan",
    "ClientCredentials",
    "Connector",
    "ConnectorError",
    "ConnectorFactory",
    "Context",
    "Declaration",
    "DesiredState",
    "ErrorKind",
    "FenceGrade",
    "Health",
    "HttpClient",
    "HttpReply",
    "InvalidInput",
    "LevelLimits",
    "Limit",
    "Listed",
    "Mark",
    "Note",
    "ObservedState",
    "Page",
    "Part",
    "Pending",
    "PlanAction",
    "Problem",
    "SecretReference",
    "SettingsReader",
    "Step",
    "SubjectKind",
    "TableReader",
    "TlsSettings",
    "TokenHeader",
    "Usage",
    "Wish",
    "blocked",
    "fence_text",
    "is_this_machine",
    "no_pace",
    "plan_difference",
    "read_file",
    "read_short_mark",
    "same",
    "short_mark",
    "step_to_do",
    "with_fence",
    "with_step",
]
