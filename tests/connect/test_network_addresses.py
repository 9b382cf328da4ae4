"""What connectors read from their settings: addresses of servers that nobody could reach are said by their key."""

from __future__ import annotations

import pytest

from mission_control_tui.connect.table_reader import TableReader


@pytest.mark.parametrize(
    "host",
    ["db1.internal.example", "db_1", "192.0.2.7", "::1", "2001:db8::1", "bücher.example", "dc1.x."],
)
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    reader = TableReader("connectors.x", {"host": host})
    assert reader.host("host") == host
    assert not reader.problems


@pytest.mark.parametrize(
    "host",
    ["a b", " ", ".", "-a", "a..b", "[::1]", "x:5432", "http://x", "x/y", "me@x", "a\x1bb", "/run"],
)
def test_what_is_no_host_is_said(host: str) -> None:
    reader = TableReader("connectors.x", {"host": host})
    reader.host("host")
    (problem,) = reader.problems
    assert problem.where == "connectors.x.host"
    assert problem.what.startswith("must be ")


def test_a_socket_is_a_host_where_it_may_be() -> None:
    reader = TableReader("connectors.x", {"host": "/run/postgresql"})
    assert reader.host("host", socket=True) == "/run/postgresql"
    assert not reader.problems


@pytest.mark.parametrize(
    "url",
    ["https://x", "http://127.0.0.1:8081", "https://[::1]:443/a?b=c", "https://x:/", "HTTPS://X/"],
)
def test_a_url_has_a_scheme_and_a_host(url: str) -> None:
    reader = TableReader("connectors.x", {"url": url})
    assert reader.url("url", example="https://y") == url
    assert not reader.problems


@pytest.mark.parametrize(
    "url",
    [
        "http://a b",
        "http://x/a b",
        "http://x\n.y",
        "http:///p",
        "http://[x",
        "http://:80",
        "https://x:99999",
        "https://x:0",
        "https://x:http",
        "ftp://x",
        "x.example",
        "https://me:secret@x",
    ],
)
def test_what_is_no_url_is_said_without_what_is_secret_in_it(url: str) -> None:
    reader = TableReader("connectors.x", {"url": url})
    reader.url("url", example="https://y")
    (problem,) = reader.problems
    assert "secret" not in problem.what


@pytest.mark.parametrize("port", [0, -1, 65_536, "http"])
def test_a_port_is_from_1_to_65535(port: object) -> None:
    reader = TableReader("connectors.x", {"port": port})
    reader.port("port", 25)
    (problem,) = reader.problems
    assert problem.what == "must be a whole number from 1 to 65535"
