"""Taking the address that a server listens on, before anything else begins."""

import socket

from paging.errors import SettingsError

_BACKLOG = 2048  # as uvicorn has it


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises SettingsError when the address cannot be had."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Named TCP, because asyncio sends small answers at once on such sockets only.
        taken = socket.socket(family, kind, socket.IPPROTO_TCP)
        try:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
            taken.listen(_BACKLOG)
        except OSError:
            taken.close()
            raise
    except OSError as exc:
        raise SettingsError(f"cannot listen on {host}:{port}: {exc.strerror}") from exc
    return taken
