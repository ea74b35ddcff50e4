"""Which addresses the server may ask: the grammar of a URL, and the rule that the connected peer must pass.

A server that fetches what it is told to is a door into its own network. So a URL is read by a narrow grammar
of our own, which has no second reading; its name is looked up once; every address of the answer is judged,
also as the IPv4 address that it may embed; and the socket connects to exactly an address that passed.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from core.monitoring.faults import MonitoringFault

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

TYPED = "MONITOR_TYPED_ADDRESSES"
"""Whether people may type the address of a Prometheus in: empty or 0 no, 1 any but the server itself, else a
comma-separated list of hosts (with or without port), addresses and networks."""

LONGEST_URL = 2048

# Services that hand out credentials of the machine, and what no Prometheus listens on.
# Sources: the clouds' documentation of their instance metadata service (read 2026-11).
NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to itself
        "169.254.0.0/16",  # link-local: metadata of AWS, Azure, Google, Oracle, OpenStack, DigitalOcean
        "100.100.100.200/32",  # Alibaba Cloud
        "168.63.129.16/32",  # Azure's wire server
        "192.0.0.192/32",  # Oracle Cloud Classic
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/128",
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, deprecated
        "fd00:ec2::/32",  # AWS's metadata and time service
        "fd20:ce::254/128",  # Google's metadata service
        "ff00::/8",  # multicast
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^\s]*)?",
    re.IGNORECASE | re.ASCII,
)
_PATH = re.compile(r"(?:/[A-Za-z0-9._~:-]+)*/?", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_LOOKS_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


@dataclass(frozen=True)
class Address:
    """Where a Prometheus is: *host* is a name in lower case or an address, *prefix* a path without end slash."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def url(self) -> str:
        """The URL in its one spelling."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == _usual_port(self.scheme)
        return f"{self.scheme}://{host}{'' if usual else f':{self.port}'}{self.prefix}"

    @property
    def literal(self) -> IPAddress | None:
        """The IP address, where the host is one."""
        return _literal(self.host)


def read_address(url: str) -> Address:
    """Return what *url* means, http(s)://host[:port][/prefix] and nothing else.

    Raises:
        MonitoringFault: `bad_url`. The sentence does not repeat the URL, which may hold a password.
    """
    text = url.strip(" ")
    if not text or len(text) > LONGEST_URL:
        raise MonitoringFault("bad_url", "url.length", most=LONGEST_URL)
    if not text.isascii():
        raise MonitoringFault("bad_url", "url.unicode")
    if "@" in text:
        raise MonitoringFault("bad_url", "url.credentials")
    found = _URL.fullmatch(text)
    if found is None:
        raise MonitoringFault("bad_url", "url.form")
    scheme, path = found["scheme"].lower(), found["path"] or ""
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise MonitoringFault("bad_url", "url.prefix")
    port = int(found["port"]) if found["port"] else _usual_port(scheme)
    if not 0 < port < 65_536:
        raise MonitoringFault("bad_url", "url.port")
    return Address(scheme, _host(found["host"].lower()), port, path.rstrip("/"))


def _host(text: str) -> str:
    """Return the one spelling of a host: a strict IP address, or a name that no resolver takes for one."""
    if text.startswith("["):
        try:
            return str(ipaddress.IPv6Address(text[1:-1]))
        except ValueError:
            raise MonitoringFault("bad_url", "url.host") from None
    name = text.removesuffix(".")
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        labels = name.split(".")
    # 2130706433, 0x7f.1 and 0177.0.0.1 are addresses to some readers of names, and to others are none.
    if _LOOKS_NUMERIC.fullmatch(labels[-1]) or len(name) > 253:
        raise MonitoringFault("bad_url", "url.host")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise MonitoringFault("bad_url", "url.host")
    return name


def _usual_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _literal(text: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


@dataclass(frozen=True)
class Reach:
    """Which addresses a connection may go to; those in `NEVER` are refused whatever is said here.

    *hosts* (names, or name:port) and *networks* are an allow-list where one of them is not empty.
    """

    loopback: bool = False
    private: bool = True
    hosts: frozenset[str] = frozenset()
    networks: tuple[IPNetwork, ...] = ()

    @property
    def listed(self) -> bool:
        """Whether only what is listed may be reached."""
        return bool(self.hosts or self.networks)

    def check_host(self, address: Address) -> None:
        """Refuse a URL that cannot pass whatever its name is looked up to.

        Raises:
            MonitoringFault: `blocked`.
        """
        literal = address.literal
        if literal is not None:
            self.check(address, literal)
        elif self.listed and not self.networks and not self._names(address):
            raise MonitoringFault("blocked", "blocked.unlisted", host=address.host, port=address.port)

    def check(self, address: Address, peer: IPAddress) -> None:
        """Refuse *peer*, one of the addresses that the host of *address* has.

        Raises:
            MonitoringFault: `blocked`.
        """
        forms = meanings(peer)
        if any(_within(form, NEVER) for form in forms):
            raise MonitoringFault("blocked", "blocked.never", host=address.host, address=str(peer))
        if self._names(address):
            return
        if self.listed:
            if not all(_within(form, self.networks) for form in forms):
                raise MonitoringFault("blocked", "blocked.unlisted", host=address.host, port=address.port)
            return
        if not self.loopback and any(form.is_loopback for form in forms):
            raise MonitoringFault("blocked", "blocked.itself", host=address.host)
        if not self.private and any(not form.is_global for form in forms):
            raise MonitoringFault("blocked", "blocked.private", host=address.host, address=str(peer))

    def check_connected(self, address: Address, peer: str, own: str) -> None:
        """Refuse a connection that ended at *peer* from *own*, the machine's side of it.

        The machine reaches itself by its outer addresses too, and then both are the same.

        Raises:
            MonitoringFault: `blocked`.
        """
        found = _literal(peer)
        if found is None:
            raise MonitoringFault("blocked", "blocked.never", host=address.host, address=peer)
        self.check(address, found)
        if peer == own and not (self.loopback or self.listed):
            raise MonitoringFault("blocked", "blocked.itself", host=address.host)

    def _names(self, address: Address) -> bool:
        return bool({address.host, f"{address.host}:{address.port}"} & self.hosts)


OPERATOR = Reach(loopback=True)
"""What the operator configured may be anywhere, but never a metadata service."""


def reach_of_typed(environ: Mapping[str, str], *, loopback_only: bool = False) -> Reach:
    """Return where an address may lead that a person typed in.

    Where the dashboard listens on loopback alone, the person is the one who started it.

    Raises:
        MonitoringFault: `blocked` where the operator did not allow it, `bad_configuration` for a bad list.
    """
    setting = environ.get(TYPED, "").strip()
    if setting in {"", "0"}:
        if loopback_only and setting != "0":
            return Reach(loopback=True)
        raise MonitoringFault("blocked", "blocked.typed", variable=TYPED)
    if setting == "1":
        return Reach(loopback=loopback_only)
    hosts: set[str] = set()
    networks: list[IPNetwork] = []
    for entry in filter(None, (part.strip().lower() for part in setting.split(","))):
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError:
            hosts.add(_listed_host(entry))
    return Reach(hosts=frozenset(hosts), networks=tuple(networks))


def _listed_host(entry: str) -> str:
    """Return a host of the allow-list in the spelling in which it is compared."""
    try:
        address = read_address(f"http://{entry}")
    except MonitoringFault:
        address = None
    if address is None or address.prefix:
        raise MonitoringFault("bad_configuration", "configuration.list", field=TYPED, variable=TYPED)
    return f"{address.host}:{address.port}" if re.search(r":[0-9]+$", entry) else address.host


def meanings(address: IPAddress) -> tuple[IPAddress, ...]:
    """Return *address* and every IPv4 address that a translator may take it for.

    >>> [str(form) for form in meanings(ipaddress.ip_address("64:ff9b::a9fe:a9fe"))]
    ['64:ff9b::a9fe:a9fe', '169.254.169.254']
    """
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    number = int(address)
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    low = ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if address in _NAT64 or address in _TRANSLATED or (address in _COMPATIBLE and number > 0xFFFF):
        inner.append(low)
    if address in _NAT64_LOCAL:
        # RFC 6052: after a prefix of 48 bits the address lies around the byte 64 to 71; after 96, at the end.
        around = (number >> 64 & 0xFFFF) << 16 | (number >> 40 & 0xFFFF)
        inner += [low, ipaddress.IPv4Address(around)]
    if number >> 32 & 0xFFFFFFFF in {0x00005EFE, 0x02005EFE}:  # ISATAP, RFC 5214
        inner.append(low)
    return (address, *(form for form in inner if form is not None))


def _within(address: IPAddress, networks: tuple[IPNetwork, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def look_up(address: Address, reach: Reach, timeout_s: float) -> tuple[str, ...]:
    """Return the IP addresses of the host, each of which passed *reach*.

    One answer that does not pass refuses the name: a mixed answer is how a name is turned into another.

    Raises:
        MonitoringFault: `unreachable` where the name is unknown, `timeout`, `blocked`.
    """
    literal = address.literal
    found = (str(literal),) if literal is not None else _resolve(address, timeout_s)
    for text in found:
        peer = _literal(text)
        # A zone id names an interface, so the address is link-local.
        if peer is None or "%" in text:
            raise MonitoringFault("blocked", "blocked.never", host=address.host, address=text)
        reach.check(address, peer)
    return found


def _resolve(address: Address, timeout_s: float) -> tuple[str, ...]:
    """Ask the system's resolver, in a thread because it knows no time limit."""
    answer: list[tuple[str, ...] | OSError | UnicodeError] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
            answer.append(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True, name="look-up")
    thread.start()
    thread.join(timeout_s)
    if not answer:
        raise MonitoringFault("timeout", "timeout.name", host=address.host)
    found = answer[0]
    if isinstance(found, Exception) or not found:
        raise MonitoringFault("unreachable", "unreachable.name", host=address.host)
    return found
