# ruff: noqa: ARG002, N802 - aiosmtpd names the methods and what they are given
"""A mail server that takes every mail, unless its faults say otherwise.

A login, where the settings ask for one, goes without TLS: it is for loopback only.
"""

import asyncio
import hmac
import re
import socket
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.box import Box
from sandbox.mails import Mail

MOST_BYTES = 10 * 1024 * 1024
MOST_RECIPIENTS = 100
_HOSTNAME = "mx.sandbox.example"


class Server:
    """One listening server; each connection is one `SMTP` of aiosmtpd, with this as its handler."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._listening: asyncio.Server | None = None

    async def start(self, listening: socket.socket) -> None:
        """Take mails on this socket from now on."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._connection, sock=listening)
        self._box.settings["smtp"]["port"] = listening.getsockname()[1]

    def close(self) -> None:
        """Take no more; a connection that is open ends with the event loop, which ends its task."""
        if self._listening is not None:
            self._listening.close()

    def _connection(self) -> SMTP:
        return SMTP(
            self,
            hostname=_HOSTNAME,
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
            authenticator=self._authenticate,
            # Without a user name a login is not even offered.
            auth_require_tls=not self._settings()["username"],
            loop=asyncio.get_running_loop(),
        )

    def _settings(self) -> dict[str, str]:
        return self._box.settings["smtp"]

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        known = self._settings()
        is_right = isinstance(data, LoginPassword) and all(
            hmac.compare_digest(told, known[name].encode())
            for name, told in (("username", data.login), ("password", data.password))
        )
        if not is_right:
            self._note("AUTH", "535", {})
        return AuthResult(success=is_right, handled=False)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender, from whoever may send."""
        if self._settings()["username"] and not session.authenticated:
            self._note("MAIL", "530", {"from": address})
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take one recipient."""
        told = {"from": envelope.mail_from or "", "to": address}
        if refusal := await self._fault("RCPT", told):
            return refusal
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            self._note("RCPT", "553", told)
            return "553 5.1.3 No such address"
        if len(envelope.rcpt_tos) == MOST_RECIPIENTS:
            self._note("RCPT", "452", told)
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the mail: one for each recipient."""
        told = {"from": envelope.mail_from or "", "to": ", ".join(envelope.rcpt_tos)}
        if refusal := await self._fault("DATA", told):
            return refusal
        parser = BytesParser(policy=policy.default)
        message = parser.parsebytes(envelope.original_content or b"")
        mails = [self._mail(message, address) for address in envelope.rcpt_tos]
        self._box.note_request("smtp", "DATA", told, "accepted", mails[0].id)
        for mail in mails:
            self._box.receive(mail)
        return f"250 2.0.0 OK: queued as {mails[0].id}"

    async def _fault(self, command: str, told: dict[str, str]) -> str | None:
        """Return the answer of a fault that is due at this command, None for none."""
        fault = self._box.faults["smtp"].next_for(command, [])
        if fault is None:
            return None
        self._note(command, f"fault: {fault.fault}", told)
        if fault.fault == "hang":
            await asyncio.Event().wait()  # until the caller hangs up, which cancels this
        return f"{fault.code} {fault.message or 'as the sandbox was told'}"

    def _note(self, command: str, verdict: str, told: dict[str, str]) -> None:
        self._box.note_request("smtp", command, told, verdict, None)

    def _mail(self, message: EmailMessage, address: str) -> Mail:
        return Mail(
            id=self._box.mails.next_id(),
            via="smtp",
            sender=str(message.get("From", "")),
            to=address,
            subject=str(message.get("Subject", "")),
            html=_body(message, "html"),
            text=_body(message, "plain"),
            headers={name: str(value) for name, value in message.items()},
            at=self._box.clock.now(),
        )


def _body(message: EmailMessage, kind: str) -> str:
    """Return the mail's text of this kind, empty where it has none."""
    part = message.get_body((kind,))
    if part is None:
        return ""
    raw = cast("bytes", part.get_payload(decode=True)).replace(b"\r\n", b"\n")
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:  # a character set that nobody knows
        return raw.decode("utf-8", "replace")
