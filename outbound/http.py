"""One HTTP client for everything that we send ourselves.

Whoever gives us an address must not reach what only this machine can see: unless private addresses
are allowed, the name is resolved here, every address it has is checked, and the connection goes to
the address that was checked.
"""

import asyncio
import contextlib
import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2


class OutboundError(Exception):
    """No answer that can be used. The text says why in words and holds no query and no body."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `took_ms`: from resolving the name to the last byte read."""

    status: int
    body: bytes
    took_ms: float
    headers: Mapping[str, str]  # by name in any case


def client(*, allow_private: bool = False) -> httpx2.AsyncClient:
    """Return a client that follows no redirects and takes no proxy from the environment."""
    # Connections are kept by address, and one made for a name must not serve another name.
    limits = httpx2.Limits(max_keepalive_connections=0)
    transport = httpx2.AsyncHTTPTransport(trust_env=False, limits=limits)
    return httpx2.AsyncClient(
        transport=transport if allow_private else _PublicOnly(transport),
        follow_redirects=False,
        trust_env=False,
    )


async def fetch(  # noqa: PLR0913 - a request and its two limits
    http: httpx2.AsyncClient,
    method: str,
    url: str,
    *,
    deadline_s: float,
    most_bytes: int,
    content: bytes = b"",
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send one request and read its whole answer, within both limits. Raises OutboundError."""
    began = time.monotonic()
    try:
        async with (
            asyncio.timeout(deadline_s),
            http.stream(method, url, content=content, headers=headers, timeout=None) as response,
        ):
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > most_bytes:
                    raise OutboundError(f"the answer is larger than {most_bytes} bytes")
    except TimeoutError as exc:  # before OSError, which it is a kind of
        raise OutboundError(f"no answer within {deadline_s:g} s") from exc
    except (httpx2.HTTPError, OSError) as exc:
        raise OutboundError(_words(exc)) from exc
    except httpx2.InvalidURL as exc:
        raise OutboundError("not a valid address") from exc
    return Answer(response.status_code, body, (time.monotonic() - began) * 1000, response.headers)


def _words(error: Exception) -> str:
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    for cause in causes:
        match cause:
            case socket.gaierror():
                return "the name does not resolve"
            case ConnectionRefusedError():
                return "the connection is refused"
            case _:
                pass
    if any("certificate" in str(cause).lower() for cause in causes):
        return "the certificate is not valid for this name"
    return f"the request fails ({type(error).__name__})"


class _PublicOnly(httpx2.AsyncBaseTransport):
    """Resolves, checks, and connects to what was checked; the name stays in Host and TLS."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        found = await asyncio.get_running_loop().getaddrinfo(
            host, request.url.port or 0, type=socket.SOCK_STREAM
        )
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if not _is_public(address):
                raise OutboundError(f"{host} is on a private network ({address})")
        request.extensions = {**request.extensions, "sni_hostname": host}
        *others, last = (request.url.copy_with(host=address) for address in addresses)
        for url in others:
            request.url = url
            with contextlib.suppress(httpx2.ConnectError):  # nothing was sent: try the next one
                return await self._inner.handle_async_request(request)
        request.url = last
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    return (mapped or ip).is_global and not (mapped or ip).is_multicast
