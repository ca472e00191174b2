# ruff: noqa: ARG002, N802 - aiosmtpd names the methods and what they are given
"""The sandbox, other SMTP servers, certificates of our own, and mails as their readers get them.

The sandbox takes mails as a plain server and as DirectMail; `Server` has TLS and worse manners.
"""

import asyncio
import contextlib
import email.policy
import ipaddress
import ssl
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clouds.alibaba import AlibabaCredentials
from email_sender.directmail import AlibabaEmail, AlibabaEmailSettings
from email_sender.smtp import SmtpEmail, SmtpSettings
from paging.ports import Message, Sent
from sandbox.server import running
from tests.telephony.conftest import Sandbox

ADDRESS, SENDER = "li.wei@example.com", "oncall@mail.example.com"
USERNAME, PASSWORD = "oncall", "right-password"
WITHIN_S = 10.0
Result = TypeVar("Result")
FIELDS = {
    "title": "数据库 db-1 down",
    "severity": "critical",
    "count": "3",
    "number": "198",
    "responder": "李伟",
    "code": "482916",
    "minutes": "10",
    "details": "实例: db-1\n复制延迟 240s",
    "link": "https://ringback.example.com/a/token-1?a=1&b=2",
    "callers": "https://ringback.example.com/callers.vcf",
}


def a_message(**how: Any) -> Message:
    """What the engine hands over; `fields` replaces single ones."""
    fields = FIELDS | how.pop("fields", {})
    given = {
        "ref": "r-0123456789abc",
        "to": ADDRESS,
        "locale": "zh-CN",
        "purpose": "page",
        "thread": "01JDINCIDENT",
    }
    return Message(**(given | how), fields=fields)


@dataclass
class Server:
    """An SMTP server, as aiosmtpd's handler and authenticator.

    `says`: its answer to a command. `cut`: the command at which it hangs up.
    """

    says: dict[str, str] = field(default_factory=dict)
    cut: str | None = None
    asked: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    secure: bool = False  # of the last mail: did it come by TLS
    logged_in: bool = False
    port: int = 0

    async def _answer(self, server: SMTP, command: str, usual: str) -> str:
        self.asked.append(command)
        if command == self.cut:
            transport = server.transport
            assert transport is not None
            transport.abort()
            return usual
        return self.says.get(command, usual)

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        answer = await self._answer(server, "EHLO", "")
        return [answer] if answer else responses

    async def handle_MAIL(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = await self._answer(server, "MAIL", "250 OK")
        if answer.startswith("250"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = await self._answer(server, "RCPT", "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        answer = await self._answer(server, "DATA", "250 2.0.0 Ok: queued as 4Wg7x12T")
        if answer.startswith("250"):
            transport = server.transport
            assert transport is not None
            self.secure = transport.get_extra_info("ssl_object") is not None
            self.logged_in = session.authenticated
            self.raw.append(envelope.original_content.decode(errors="replace"))
            parser = BytesParser(policy=email.policy.default)
            self.letters.append(cast("EmailMessage", parser.parsebytes(envelope.original_content)))
        return answer

    def authenticate(
        self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        right = (data.login, data.password) == (USERNAME.encode(), PASSWORD.encode())
        said = self.says.get("AUTH", f"535 5.7.8 Bad credentials for {ADDRESS}")
        return AuthResult(success=right, handled=False, message=None if right else said)


@contextlib.contextmanager
def serving(
    server: Server,
    certificate: ssl.SSLContext | None = None,
    *,
    implicit: bool = False,
    auth: bool = False,
) -> Iterator[Server]:
    """Run it on loopback until the block ends; with `certificate` by STARTTLS, or at once."""
    loop, up = asyncio.new_event_loop(), threading.Event()
    connections: list[SMTP] = []

    def factory() -> SMTP:
        connection = SMTP(
            server,
            hostname="mx.example.com",
            enable_SMTPUTF8=True,
            tls_context=None if implicit else certificate,
            require_starttls=certificate is not None and not implicit,
            authenticator=server.authenticate if auth else None,
            auth_required=auth and not implicit,  # aiosmtpd does not see a TLS of ours
            auth_require_tls=certificate is not None and not implicit,
            loop=loop,
        )
        connections.append(connection)
        return connection

    async def begin() -> asyncio.Server:
        tls = certificate if implicit else None
        listening = await loop.create_server(factory, "127.0.0.1", 0, ssl=tls)
        server.port = listening.sockets[0].getsockname()[1]
        up.set()
        return listening

    async def end(listening: asyncio.Server) -> None:
        listening.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for connection in connections:
            if connection.transport is not None:
                cast("asyncio.Transport", connection.transport).abort()
        await _quiet()

    def work() -> None:
        with contextlib.closing(loop):
            listening = loop.run_until_complete(begin())
            loop.run_forever()
            loop.run_until_complete(end(listening))

    thread = threading.Thread(target=work, name="smtp server")
    thread.start()
    assert up.wait(WITHIN_S)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WITHIN_S)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that takes everything, unprotected."""
    with serving(Server()) as served:
        yield served


async def _quiet() -> None:
    """Return once this loop has closed all its connections, which takes it some turns."""
    selector = cast("Any", asyncio.get_running_loop())._selector
    # One is its own, by which threads wake it.
    while len(selector.get_map()) > 1:  # noqa: ASYNC110 - no event for it
        await asyncio.sleep(0.001)
    for _ in range(3):
        await asyncio.sleep(0)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Do this in a loop of its own, which leaves nothing open."""

    async def whole() -> Result:
        try:
            return await work
        finally:
            await asyncio.wait_for(_quiet(), WITHIN_S)

    return asyncio.run(whole())


class Mailbox(Sandbox):
    """The sandbox as a test of mails sees it. `port`: of its mail server."""

    def __init__(self, url: str, port: int) -> None:
        super().__init__(url)
        self.port = port

    def begin(self) -> None:
        """Forget the last test, know DirectMail's account, and ask nobody to log in."""
        super().begin()
        self.settings(
            alibaba={"mail_account_names": [SENDER]}, smtp={"username": "", "password": ""}
        )

    def mails(self) -> list[dict[str, Any]]:
        """Every mail that arrived, the newest first."""
        return self._http.get("/sandbox/mails").json()


@pytest.fixture(scope="session")
def _mailbox() -> Iterator[Mailbox]:
    with running() as served:
        mailbox = Mailbox(served.url, served.smtp_port)
        yield mailbox
        mailbox.close()


@pytest.fixture
def mailbox(_mailbox: Mailbox) -> Mailbox:
    """One sandbox for all, which remembers nothing of the test before."""
    _mailbox.begin()
    return _mailbox


def directmail(url: str, **settings: Any) -> AlibabaEmail:
    """DirectMail's adapter, pointed at an endpoint."""
    keys = AlibabaCredentials(access_key_id="LTAI-test", access_key_secret="secret-of-alibaba")
    given = {"endpoint": url, "account_name": SENDER} | settings
    return AlibabaEmail(AlibabaEmailSettings.model_validate(given), keys)


def provider(
    server: Server | Mailbox, *, deadline_s: float = WITHIN_S, **settings: Any
) -> SmtpEmail:
    """SMTP's adapter, pointed at it."""
    given = {"host": "127.0.0.1", "port": server.port, "from": SENDER} | settings
    return SmtpEmail(SmtpSettings.model_validate(given), deadline_s=deadline_s)


def send(smtp: SmtpEmail, message: Message | None = None, *, wanted: bool = True) -> Sent | None:
    """Send one mail as the engine does."""
    return run(smtp.send(message or a_message(), still_wanted=lambda: wanted))


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    folder: Path

    @property
    def ca_file(self) -> str:
        """Where its certificate is."""
        return str(self.folder / "ca.pem")

    def server_context(self, name: x509.GeneralName) -> ssl.SSLContext:
        """What a server of this name shows."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate("server", key, self.certificate.subject, self.key, name)
        chain = self.folder / "server.pem"
        chain.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain)
        return context

    def of_loopback(self) -> ssl.SSLContext:
        """What our own server shows."""
        return self.server_context(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))

    def of_another(self) -> ssl.SSLContext:
        """What a server of another name shows."""
        return self.server_context(x509.DNSName("other.example.com"))


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name | None,
    signed_by: ec.EllipticCurvePrivateKey,
    host: x509.GeneralName | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    )
    if host is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
    return builder.sign(signed_by, hashes.SHA256())


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for all tests."""
    key, folder = ec.generate_private_key(ec.SECP256R1()), tmp_path_factory.mktemp("authority")
    certificate = _certificate("our own authority", key, None, key, None)
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(key, certificate, folder)
