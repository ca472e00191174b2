"""Mail by any SMTP server: RFC 5321, STARTTLS by RFC 3207, submission by RFC 6409.

One connection a mail. Until DATA has been sent nothing can have been delivered; after it, only the
server's answer says whether it was.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.headerregistry import Address, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Annotated, Any, Literal

import aiosmtplib
from aiosmtplib import (
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)
from pydantic import AfterValidator, Field, SecretStr, model_validator

from clouds import faults
from clouds.probes import Proof, judge
from email_sender import letter
from email_sender.letter import Letter
from paging.errors import DeliveryError, Row
from paging.people import Strict
from paging.ports import Message, Purpose, Sent

NAME = "smtp"
_GOODBYE_S = 1.0
# Python takes these for free text, and would encode a long id until it is none any more.
_ID: Any = MessageIDHeader  # it works with the registry, though its type does not say so
_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("in-reply-to", _ID)
_HEADERS.map_to_type("references", _ID)
_TEXT_AT_MOST = 200

_LATER = Row("transient", "not_sent", postpones=True)
_DOWN = replace(faults.UNREACHABLE, postpones=True)
_WRONG = Row("misconfigured", "not_sent")
_NO_CREDIT = Row("out_of_credit", "not_sent")
_BLOCKED = Row("recipient_rejected", "blocked")
_NO_SUCH_ADDRESS = Row("recipient_rejected", "bad_address", other_provider=False, again="never")
_MAILBOX_FULL = Row("recipient_rejected", "mailbox_full", other_provider=False)

# Answers about the recipient or the mail: the reply code, then the enhanced one (RFC 3463) where
# the server gives it; the first that fits. RFC 5321 4.2; DirectMail's 邮件推送常见退信代码.
CODES: dict[str, Row] = {
    "4*": _LATER,
    "530*": _WRONG,
    "534*": _WRONG,
    "535*": _WRONG,
    "550 5.7*": _BLOCKED,  # by policy, or since relaying is refused: another way may be open
    "550*": _NO_SUCH_ADDRESS,
    "551*": _NO_SUCH_ADDRESS,
    "552 5.2*": _MAILBOX_FULL,
    "552*": _NO_CREDIT,
    "553*": _NO_SUCH_ADDRESS,
    "554*": _BLOCKED,
    "559*": _NO_SUCH_ADDRESS,
    "563*": _NO_SUCH_ADDRESS,
    "50*": _WRONG,
    "5*": _BLOCKED,
}
# Answers before there is a recipient are about us: greeting, TLS, log-in, sender.
ACCOUNT_CODES: dict[str, Row] = {
    "436*": _WRONG,  # DirectMail's: the sender is not the one who logged in
    "4*": _LATER,
    "552*": _NO_CREDIT,
    "5*": _WRONG,
}


def _one_line(value: str) -> str:
    if letter.one_line(value) != value:
        msg = "expected one line"
        raise ValueError(msg)
    return value


def _certificates(value: str) -> str:
    if value:
        try:
            ssl.create_default_context(cafile=value)
        except OSError as exc:
            msg = "expected a file of PEM certificates that can be read"
            raise ValueError(msg) from exc
    return value


class SmtpSettings(Strict):
    """`[providers.smtp]`."""

    host: str = Field(min_length=1, description="the mail server's name, such as smtp.example.com")
    port: int = Field(587, ge=1, le=65535, description="the mail server's port, 1 to 65535")
    from_: str = Field(
        alias="from",
        pattern=r"^[!-;=?A-~]+@[A-Za-z0-9.-]+$",
        max_length=254,
        description="the sender's address, such as oncall@example.com",
    )
    from_name: Annotated[str, Field(max_length=100), AfterValidator(_one_line)] = "ringback"
    username: str | None = Field(None, min_length=1, description="the name to log in with")
    password: SecretStr | None = Field(
        None, min_length=1, description="the password to log in with"
    )
    security: Literal["starttls", "tls", "none"] | None = Field(
        None, description='"starttls", "tls" or "none"; by default "starttls", on loopback "none"'
    )
    ca_file: Annotated[str, AfterValidator(_certificates)] = Field(
        "", description="a file of PEM certificates, where the server's is not publicly trusted"
    )

    @property
    def transport(self) -> Literal["starttls", "tls", "none"]:
        """Return how the connection is protected."""
        return self.security or ("none" if _is_loopback(self.host) else "starttls")

    @model_validator(mode="after")
    def _fits_together(self) -> "SmtpSettings":
        if (self.username is None) != (self.password is None):
            missing = "username" if self.username is None else "password"
            raise ValueError(f"{missing}: missing; expected both username and password, or neither")
        if self.password and self.transport == "none" and not _is_loopback(self.host):
            raise ValueError(
                'security: expected "starttls" or "tls": "none" would show the password to anyone '
                "on the way"
            )
        return self


class SmtpEmail:
    """Satisfies `paging.ports.Provider`."""

    name = NAME
    purposes: frozenset[Purpose] = letter.PURPOSES

    def __init__(self, settings: SmtpSettings, *, deadline_s: float) -> None:
        self._settings, self._deadline_s = settings, deadline_s
        protected = settings.transport != "none"
        self._tls = (
            ssl.create_default_context(cafile=settings.ca_file or None) if protected else None
        )

    def serves(self, address: str) -> bool:
        """Say whether this is a mail address."""
        return "@" in address

    async def send(self, message: Message, *, still_wanted: Callable[[], bool]) -> Sent | None:
        """Send one mail, or return None when it is not wanted any more. Raises DeliveryError."""
        written = letter.write(message)
        mailbox = letter.mailbox(message.to)
        client = self._client()
        handed_over = False
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._open(client)
                data = self._wire(message, written, mailbox, client)
                await client.mail(self._settings.from_, options=_options(mailbox))
                await client.rcpt(mailbox, encoding="utf-8")
                # It reads the database, as it must: not what was known when the connection began.
                if not await asyncio.to_thread(still_wanted):
                    return None
                handed_over = True
                answer = await client.data(data)
        except (SMTPException, OSError, ValueError) as exc:
            if not isinstance(exc, SMTPResponseException):
                client.close()  # nobody listens any more
            # From None: the server's words may name addresses.
            raise _error(exc, mailbox, handed_over=handed_over) from None
        else:
            taken = re.search(r"queued as (\S{1,64})", answer.message)
            message_id = letter.message_id(message, self._settings.from_)
            return Sent(taken[1] if taken else message_id, written.subject, silence_s=0)
        finally:
            await _leave(client)

    async def probe(self) -> Proof:
        """Log in and name the sender, then leave, which sends nothing."""
        client = self._client()
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._open(client)
                await client.mail(self._settings.from_)
                await client.rset()
        except (SMTPException, OSError, ValueError) as exc:
            client.close()
            error = _error(exc, self._settings.from_, handed_over=False)
        else:
            return "proved", {"zh-CN": "已连接,可以发信", "en": "connected, and may send"}
        finally:
            await _leave(client)
        refuses_keys = error.code.startswith(("530", "534", "535"))
        return judge(
            "not_connected" if error.row.kind == "provider_down" else error.code,
            refuses_keys=refuses_keys,
            refuses_account=error.row.kind in ("misconfigured", "out_of_credit"),
            from_product=False,
            keys=(" username 与 password", "username and password"),
            account=(" host、security、ca_file 与 from", "host, security, ca_file and from"),
        )

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._settings.host,
            port=self._settings.port,
            use_tls=self._settings.transport == "tls",
            start_tls=False,  # done by `_open`, which never goes on without it
            tls_context=self._tls,
            timeout=faults.READ_S,
        )

    async def _open(self, client: aiosmtplib.SMTP) -> None:
        """Connect, protect the connection, log in."""
        await client.connect(timeout=faults.CONNECT_S)
        await client.ehlo()
        if self._settings.transport == "starttls":
            await client.starttls()
            await client.ehlo()
        if self._settings.username and self._settings.password:
            await client.login(self._settings.username, self._settings.password.get_secret_value())

    def _wire(
        self, message: Message, written: Letter, mailbox: str, client: aiosmtplib.SMTP
    ) -> bytes:
        """Return the mail as it travels. Raises ValueError for an address that cannot."""
        international = not mailbox.isascii()
        if international and not client.supports_extension("smtputf8"):
            raise ValueError("this server knows ASCII addresses only")
        mail = EmailMessage(policy=SMTP.clone(utf8=international, header_factory=_HEADERS))
        sender = self._settings.from_
        mail["From"] = Address(self._settings.from_name, addr_spec=sender)
        mail["To"] = mailbox
        mail["Subject"] = written.subject
        mail["Date"] = format_datetime(datetime.now(UTC))
        for name, value in letter.headers(message, sender).items():
            mail[name] = value
        mail.set_content(written.text, cte="base64")
        mail.add_alternative(written.html, subtype="html", cte="base64")
        return mail.as_bytes()


def _options(mailbox: str) -> list[str]:
    return [] if mailbox.isascii() else ["SMTPUTF8"]


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Say goodbye, where there is anyone to say it to; the mail's fate was decided before."""
    if client.is_connected:
        try:
            await client.quit(timeout=_GOODBYE_S)
        except (SMTPException, OSError):
            client.close()


def _error(exc: Exception, mailbox: str, *, handed_over: bool) -> DeliveryError:
    """Return our error for whatever ended the conversation."""
    if isinstance(exc, SMTPResponseException):
        return _refused(exc, mailbox, handed_over=handed_over)
    if handed_over:
        return DeliveryError(NAME, "answer_lost", faults.LOST, answered=False)
    code, row = _broken(exc)
    return DeliveryError(NAME, code, row)


def _broken(exc: Exception) -> tuple[str, Row]:
    """Return what kept the mail from being handed over, without a word of the server's."""
    match exc.__cause__ if isinstance(exc.__cause__, ssl.SSLError) else exc:
        # Trying again cannot help: `host` or `ca_file` is wrong, or somebody is in between.
        case ssl.SSLCertVerificationError():
            broken = "certificate_refused", _WRONG
        case ssl.SSLError():
            broken = "tls_failed", _WRONG
        case SMTPConnectError():
            broken = "not_connected", _DOWN
        case TimeoutError():
            broken = "deadline", _DOWN
        case OSError():
            broken = "connection_lost", _DOWN
        case SMTPException():  # the server has no STARTTLS, or nothing to log in by
            broken = "not_offered", _WRONG
        case _:  # ValueError
            broken = "bad_address", _NO_SUCH_ADDRESS
    return broken


def _refused(exc: SMTPResponseException, mailbox: str, *, handed_over: bool) -> DeliveryError:
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", exc.message)
    code = f"{exc.code} {enhanced[0]}" if enhanced else str(exc.code)
    about_mail = isinstance(exc, SMTPRecipientRefused | SMTPDataError)
    row = faults.row_of(NAME, code, CODES if about_mail else ACCOUNT_CODES)
    if not handed_over:
        row = replace(row, placed="no")
    return DeliveryError(NAME, code, row, text=_shown(exc.message, mailbox))


def _shown(said: str, mailbox: str) -> str:
    """Return the server's words without whom they are about, and without any link."""
    local = mailbox.rpartition("@")[0]
    masked = re.sub(r"\S*(?:@|://)\S*", "…", letter.one_line(said))
    masked = re.sub(rf"(?i)(?<!\w){re.escape(local)}(?!\w)", "…", masked) if local else masked
    return letter.cut(re.sub(r"\d{5,}", "…", masked), _TEXT_AT_MOST)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
