"""The shipped catalogue with a directory account, with which users sign in to mail and web sites."""

from __future__ import annotations

from mission_control_tui.model.catalogue.file.shipped import shipped

ACCOUNT = """
[[services]]
id = "directory-account"
name = "Directory Account"
subject = "directory"
connector = "{connector}"
password = "user"
seats = false
visible = false
name_limit = 20
name_pattern = "{{account}}_{{username}}"
levels = [{{ id = "standard", name = "Standard" }}]

"""
_PASSWORD = 'password = "user"'


def directory_catalogue(connector: str = "simulator", *, requires: bool = True) -> str:
    """Return its text; the account is kept by `connector`, and nothing requires it unless `requires`."""
    text = shipped()
    for service in ('id = "managed-exchange"', 'id = "web-hosting"'):
        before, own, after = text.partition(service)
        after = after.replace(_PASSWORD, 'password = "directory"', 1)
        if requires:
            after = after.replace(
                'requires = ["domain-registration"]',
                'requires = ["domain-registration", "directory-account"]',
                1,
            )
        text = before + own + after
    return text + ACCOUNT.format(connector=connector)
