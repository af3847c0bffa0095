"""Which addresses the server may connect to for a user."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = IPv6Network("::/96")
_SITE_LOCAL = IPv6Network("fec0::/10")


def is_public(address: str) -> bool:
    """Tell whether an address is one of the internet's own.

    Not: loopback, private, link-local, carrier-grade NAT, multicast, reserved, nor any of these written as
    an IPv6 address (mapped, compatible, 6to4, Teredo, NAT64). What is no address is not public.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        return _is_public_v6(parsed)
    return _is_global(parsed)


def _is_public_v6(address: IPv6Address) -> bool:
    inner = _embedded(address)
    if inner is not None:
        return _is_global(inner)
    return _is_global(address) and address not in _SITE_LOCAL and address.teredo is None


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64 or address in _V4_COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved
