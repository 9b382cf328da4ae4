"""PowerDNS: a zone on an authoritative server for each domain, through its HTTP API."""

from mission_control_tui.provisioning.connectors.powerdns.connector import PowerDNS, create

__all__ = ["PowerDNS", "create"]
