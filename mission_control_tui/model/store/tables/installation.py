"""Tables of the installation: its settings and the versions of its catalogue."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.text.folding import FOLDING


class InstallationRow(Base):
    """One row: whose objects at the back ends are ours, and the key that passwords are sealed with.

    `connectors` are the settings' [services] (service id -> connector) that the assignments have followed last.
    `epoch` is raised when the database was restored from a backup: back ends may hold newer wishes than it knows.
    `epoch_met` is the highest that a back end showed beyond it, 0 for none.
    `clock_trusted` is the newest time that a worker took for right, in seconds since 1970; 0 when none ever ran.
    `clock_doubt` says why the clock is doubted since `clock_doubted_at`; "" when it is not.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(32))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    connectors: Mapped[dict[str, Any]] = mapped_column(default=dict)
    folding: Mapped[int] = mapped_column(default=FOLDING, server_default="1")
    """The version of the folding that all that is stored folded has."""
    folded_to: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """The last user who has been folded anew, while that is going on."""
    created_at: Mapped[datetime]
    epoch: Mapped[int] = mapped_column(default=1, server_default="1")
    epoch_met: Mapped[int] = mapped_column(default=0, server_default="0")
    clock_trusted: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    clock_doubt: Mapped[str] = mapped_column(Text, default="", server_default="")
    clock_doubted_at: Mapped[datetime | None]
    pruned_at: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    """When all that ended long ago was last looked through for what can go, in seconds since 1970; 0 for never."""


class CatalogueVersionRow(Base):
    """A loaded catalogue; the highest number is the one in force."""

    __tablename__ = "catalogue_versions"

    number: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    loaded_at: Mapped[datetime]
    operator: Mapped[str] = mapped_column(String(128))
