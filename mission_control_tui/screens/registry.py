"""The screens by name: what QUICK LINKS offers, and every place that can be gone to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mission_control_tui.screens.base.host import Link

_SCREENS = "mission_control_tui.screens"
LINKS: tuple[Link, ...] = (
    ("home", "Home", f"{_SCREENS}.home:HomeScreen"),
    ("service-area", "Service Management Area", f"{_SCREENS}.service_area:ServiceAreaScreen"),
    ("users", "Users", f"{_SCREENS}.users.users:UsersScreen"),
    ("lights", "Lights", f"{_SCREENS}.users.lights:LightsScreen"),
    ("new-user", "New User", f"{_SCREENS}.users.new_user:NewUserScreen"),
    ("paste", "Paste a list of users", f"{_SCREENS}.users.paste:PasteScreen"),
    ("templates", "Templates", f"{_SCREENS}.users.templates:TemplatesScreen"),
    ("objects", "Groups and shared mailboxes", f"{_SCREENS}.groups.groups:ObjectsScreen"),
    ("requests", "Requests", f"{_SCREENS}.requests.requests:RequestsScreen"),
    ("bulks", "Bulk actions", f"{_SCREENS}.bulk.bulks:BulksScreen"),
    ("history", "History", f"{_SCREENS}.history:HistoryScreen"),
    ("orders", "Orders", f"{_SCREENS}.orders.orders:OrdersScreen"),
    ("account", "Account", f"{_SCREENS}.accounts.account:AccountScreen"),
    ("schedules", "Schedules", f"{_SCREENS}.schedules:SchedulesScreen"),
    ("drafts", "Drafts", f"{_SCREENS}.drafts:DraftsScreen"),
    ("bin", "Recycling bin", f"{_SCREENS}.users.recycle_bin:BinScreen"),
    ("find", "Find anyone", f"{_SCREENS}.find:FindScreen"),
    ("settings", "Settings", f"{_SCREENS}.settings:SettingsScreen"),
    ("switch", "Accounts", f"{_SCREENS}.accounts.switch:SwitchScreen"),
)
"""What QUICK LINKS offers, Home first."""


PLACES: dict[str, str] = {
    **{name: place for name, _words, place in LINKS},
    "provision": f"{_SCREENS}.services.provision:ProvisionScreen",
    "user": f"{_SCREENS}.users.user:UserScreen",
    "object": f"{_SCREENS}.groups.group:ObjectScreen",
    "bulk": f"{_SCREENS}.bulk.bulk:BulkScreen",
    "bulk-new": f"{_SCREENS}.bulk.new_bulk:BulkNewScreen",
    "request": f"{_SCREENS}.requests.request:RequestScreen",
    "edit-user": f"{_SCREENS}.users.edit_user:EditUserScreen",
    "product": f"{_SCREENS}.orders.product:ProductScreen",
    "buy": f"{_SCREENS}.orders.buy:BuyScreen",
    "order": f"{_SCREENS}.orders.orders:OrderScreen",
}
"""Every screen by its name, as `module:Class`; what each takes are the arguments of the class."""
