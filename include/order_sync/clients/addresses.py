"""Where our credentials may go: a base URL that cannot be read in two ways, and values that fit into one header.

A URL that two programs read differently sends a token to a stranger, so what is not plainly `https://host[:port]/path` is
refused when the settings are read and not when the first request is built (reliability S16).
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from order_sync.errors import SettingsError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PLAIN_URL = re.compile(r"[A-Za-z]+://[A-Za-z0-9\[\]:._~%!$&'()*+,=@/-]+")
"""No blank, control character, backslash, query, fragment or letter outside ASCII."""
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def checked_base_url(url: str, *, system: str) -> str:
    """Return the base URL without a final slash, or raise `SettingsError`.

    Plain http is for this machine and for single-label names (a service of the same compose network) only.
    """
    if "\\" in url or any(not character.isprintable() or character.isspace() or not character.isascii() for character in url):
        msg = f"{system}: the base URL holds a blank, a backslash or a letter outside ASCII (write such a name as xn--...)"
        raise SettingsError(msg)
    try:
        parts = urlsplit(url)
        host, has_port = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        host, has_port = "", False
    if not (host and has_port) or parts.scheme not in ("http", "https"):
        msg = f"{system}: the base URL must look like https://host/path"
        raise SettingsError(msg)
    if parts.username is not None or parts.password is not None or "?" in url or "#" in url:
        msg = f"{system}: the base URL must hold no user, password, query or fragment"
        raise SettingsError(msg)
    if not _PLAIN_URL.fullmatch(url) or not _is_plain_host(host) or _climbs(parts.path):
        msg = f"{system}: the base URL's host or path can be read in more than one way"
        raise SettingsError(msg)
    if parts.scheme == "http" and host not in _LOOPBACK and ("." in host or ":" in host):
        msg = f"{system}: the base URL must begin with https:// (plain http is for this machine only)"
        raise SettingsError(msg)
    if is_forbidden_address(host):
        msg = f"{system}: the base URL points at an address that no server of ours can have"
        raise SettingsError(msg)
    return url.rstrip("/")


def is_forbidden_address(host: str) -> bool:
    """Say whether a host is link-local, such as a cloud's metadata service, or nobody's own (reliability S16)."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return address.is_link_local or address.is_multicast or address.is_unspecified


def checked_header_value(value: str, *, field: str) -> str:
    """Return a value that one header line can carry, or raise `SettingsError` that names the field and not the value."""
    if not (value and value.isascii() and value.isprintable() and value == value.strip()):
        msg = f"{field}: missing, or holds characters that no header can carry"
        raise SettingsError(msg)
    return value


def _is_plain_host(host: str) -> bool:
    """Say whether a host is an address in its usual form or a name.

    A name whose last label is a number is an address in disguise: 2852039166 and 0xa9fea9fe are 169.254.169.254 to most
    resolvers.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        return bool(_HOST_NAME.fullmatch(host)) and not _NUMBER.fullmatch(last)
    return "%" not in host


def _climbs(path: str) -> bool:
    """Say whether a path has segments that a server may resolve to somewhere else."""
    return "//" in path or "%" in path or any(segment in (".", "..") for segment in path.split("/"))
