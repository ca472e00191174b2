"""For every test: no proxy, and nobody outside this machine is talked to."""

import os
import socket
import sys
from ipaddress import ip_address
from typing import Any

# Both carriers' SDKs would send even loopback calls through it.
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]


def _stay_here(event: str, args: tuple[Any, ...]) -> None:
    """Answer as on a machine without a network, except for loopback and Unix sockets."""
    if event == "socket.getaddrinfo" and not _is_known(args[0]):
        raise socket.gaierror(socket.EAI_NONAME, "tests ask no name server")
    if event == "socket.connect" and isinstance(args[1], tuple) and not _is_loopback(args[1][0]):
        raise RuntimeError(f"a test wanted to talk to {args[1][0]}")


def _is_known(host: str | bytes | None) -> bool:
    """Say whether no name server has to be asked."""
    known = host.decode() if isinstance(host, bytes) else host
    if known is None or known == "localhost":
        return True
    try:
        # Takes 127.1 and 2130706433 for addresses, as the resolver does.
        _ = ip_address(known) if ":" in known else socket.inet_aton(known)
    except (ValueError, OSError):
        return False
    return True


def _is_loopback(host: str) -> bool:
    """Say whether this connects to our own machine."""
    return host == "localhost" or (_is_known(host) and ip_address(host).is_loopback)


# Sees every socket of every library and thread, unlike a patch of `socket`.
sys.addaudithook(_stay_here)
