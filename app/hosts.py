"""Hosts: names of servers and addresses of machines, in one spelling each, so that they compare."""

import re
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: (name, port); no port where it is the one that http or https have without being told.
Place = tuple[str, int | None]

NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
PORTS_BY_SCHEME = (80, 443)
LONGEST = 253


def host_name(text: str) -> str:
    """A host name as it is compared: lower case, without a last dot, IPv6 short and in brackets.

    Raises ValueError for what is no name or address of a host.
    """
    name = text.strip().lower()
    with suppress(ValueError):
        address = ip_address(name.removeprefix("[").removesuffix("]"))
        return f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    name = name.removesuffix(".")
    if not name.isascii():
        name = name.encode("idna").decode()
    if len(name) > LONGEST or not NAME.fullmatch(name):
        raise ValueError(text)
    return name


def place(text: str) -> Place:
    """What a Host header says. Raises ValueError when it cannot be read."""
    text = text.strip()
    name, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return host_name(text), None
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise ValueError(text)
    return host_name(name), None if int(port) in PORTS_BY_SCHEME else int(port)


def origin_place(origin: str) -> Place:
    """Where a page came from, by its Origin header. Raises ValueError when it cannot be read."""
    parts = urlsplit(origin.strip())
    if parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise ValueError(origin)
    return place(parts.netloc)


def cannot_be_rebound(name: str) -> bool:
    """Whether no foreign site's page can have come under this name: an address, or without dots.

    A foreign site's own name can be made to lead here (DNS rebinding), but not an address.
    """
    with suppress(ValueError):
        ip_address(name.strip("[]"))
        return True
    return "." not in name


def machine(text: str) -> Address:
    """The address of a machine, IPv4 where it is wrapped in IPv6; a port behind it is left out.

    Raises ValueError when it is none.
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    address = ip_address(text)
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks (10.0.0.0/8). Raises ValueError with a sentence about a wrong one."""
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ip_network(text.strip("[]"), strict=False))
        except ValueError:
            raise ValueError(
                f"“{text}” is neither an address nor a network. Give addresses like 127.0.0.1 or "
                "networks like 172.16.0.0/12, with commas between them"
            ) from None
    return tuple(found)


def allowed_name(text: str) -> str:
    """A host name as a setting may give it. Raises ValueError with a sentence about a wrong one."""
    if "*" in text:
        raise ValueError(
            f"“{text}” would let every name in, and with it pages of other sites. Name each host, "
            "with commas between them"
        )
    try:
        return host_name(text)
    except ValueError:
        meant = _meant(text)
        hint = f". Write “{meant}”" if meant else ""
        raise ValueError(
            f"“{text}” is not the name of a host alone. Names stand without http://, port, path or "
            f"spaces, with commas between them{hint}"
        ) from None


def _meant(text: str) -> str | None:
    """The name within an address that was given in place of a name."""
    with suppress(ValueError):
        bare = text.strip().partition("://")[2] or text.strip()
        return place(bare.partition("/")[0])[0]
    return None
