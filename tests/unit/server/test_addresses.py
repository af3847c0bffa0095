"""Which addresses are the internet's."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_server.files.addresses import is_public

FORBIDDEN = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
]


def _disguises(address: IPv4Address) -> list[str]:
    number = int(address)
    return [
        str(address),
        f"::ffff:{address}",
        f"::{address}",
        f"64:ff9b::{address}",
        str(IPv6Address((0x2002 << 112) | (number << 80) | 1)),
        str(IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF))),
    ]


@given(st.data())
@pytest.mark.parametrize("network", FORBIDDEN)
def test_an_address_of_a_closed_range_is_not_public_in_any_disguise(
    network: str, data: st.DataObject
) -> None:
    closed = IPv4Network(network)
    offset = data.draw(st.integers(0, closed.num_addresses - 1))
    for disguise in _disguises(closed[offset]):
        assert not is_public(disguise), disguise


@pytest.mark.parametrize(
    "address",
    [
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:0:1",
    ],
)
def test_an_address_of_a_closed_range_of_ipv6_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@given(st.text())
def test_what_is_no_address_is_not_public_and_no_error(text: str) -> None:
    is_public(text)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "127.0.0.1 ", "[::1]"]
)
def test_other_ways_to_write_an_address_are_none(text: str) -> None:
    assert not is_public(text)
