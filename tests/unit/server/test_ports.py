"""Who listens where, and where a program's redirections lead."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.ports.table import Address, Listener, Listening, hosts_of, read_listening
from terminal_server.ports.target import Target, relocated, target_of

_BASE = "https://host/any/prefix/proxy/3000"


def _listener(address: str) -> Listener:
    return Listener(3000, ip_address(address), inode=1, pid=1, process="x", descriptor=3)


def _target(path: str, *, has_slash: bool = True) -> Target:
    return Target(3000, path, "", "/proxy/3000", has_slash)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1"])
def test_a_socket_that_listens_is_found_with_its_address(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]

        # Others may have the port at another address.
        def found() -> list[Listening]:
            return [one for one in read_listening() if (one.port, one.address) == (port, ip_address(host))]

        before = found()
        assert len(before) == 1
        with socket.create_connection((host, port)):
            assert found() == before


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("10.1.2.3", ["10.1.2.3"]),
        ("0.0.0.0", ["127.0.0.1"]),  # noqa: S104 - what a program listens on
        ("::1", ["::1"]),
        ("::", ["::1", "127.0.0.1"]),
    ],
)
def test_a_program_is_reached_where_it_listens(address: str, hosts: list[str]) -> None:
    assert hosts_of(_listener(address), []) == hosts


@pytest.mark.parametrize("others", [IPv4Address("127.0.0.1"), IPv4Address(0)])
def test_a_program_of_ipv6_is_not_looked_for_where_another_one_has_its_port(others: Address) -> None:
    assert hosts_of(_listener("::"), [Listening(3000, others, inode=2)]) == ["::1"]
    assert hosts_of(_listener("::"), [Listening(3001, others, inode=2)]) == ["::1", "127.0.0.1"]
    assert hosts_of(_listener("::"), [Listening(3000, IPv6Address(0), inode=1)]) == ["::1", "127.0.0.1"]


_SEGMENTS = st.lists(st.text("ab:@%2F;", min_size=1, max_size=4), max_size=4).map("/".join)


@given(_SEGMENTS, _SEGMENTS, st.booleans())
def test_a_redirection_within_the_program_stays_within_it_for_the_client(
    asked: str,
    to: str,
    has_slash: bool,  # noqa: FBT001 - made up
) -> None:
    asked = "/" + asked if has_slash else "/"
    base = _BASE + asked if has_slash else _BASE
    to = "/" + to.lstrip("/")
    found = urljoin(base, relocated(to, _target(asked, has_slash=has_slash)))
    # What the program meant, below the prefix.
    assert found == _BASE + urljoin("http://x/", to).removeprefix("http://x")


@given(st.text(max_size=30))
def test_no_redirection_of_a_program_is_an_error(location: str) -> None:
    relocated(location, _target("/a/b"))


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/proxy/80", "/"),
        (b"/proxy/80/", "/"),
        (b"/proxy/80//x", "//x"),
        (b"/proxy/80/%2e%2e/x", "/%2e%2e/x"),
        (b"/proxy/65535/x", "/x"),
    ],
)
def test_a_path_is_taken_as_it_was_sent(raw: bytes, path: str) -> None:
    target = target_of({"raw_path": raw, "query_string": b"a=%20"}, "/t")
    assert target is not None
    assert target.path_and_query == f"{path}?a=%20"


@pytest.mark.parametrize(
    "raw", [b"/proxy/", b"/proxy/0/", b"/proxy/080/", b"/proxy/65536/", b"/proxy/80x/", b"/proxy/80%2Fx"]
)
def test_what_names_no_port_is_none(raw: bytes) -> None:
    assert target_of({"raw_path": raw, "query_string": b""}, "") is None
