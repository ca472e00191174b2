"""Alibaba Cloud DirectMail: dm 2015-11-23, SingleSendMail (SDK 1.11.1; read 2026-11-22).

What becomes of a mail is told to EventBridge alone, so there are no receipts.
"""

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from clouds import faults
from clouds.alibaba import KEYS, KEYS_WRONG, NAME, AlibabaCredentials, config, error_of
from clouds.probes import Proof, judge
from email_sender import letter
from paging.errors import Row
from paging.people import Strict
from paging.ports import Message, Purpose, Sent

_ABROAD = ("ap-southeast-1", "ap-southeast-2", "eu-central-1", "us-east-1")
_OF_THE_SENDER = 1  # AddressType
_KEY_WORD = re.compile(r"[A-Za-z0-9.@-]{1,60}")  # of QueryMailAddressByParam
_SUBJECT_AT_MOST = 100  # so the table of errors and the older pages; the newest says 256

_WRONG = Row("misconfigured", "not_sent")
_CONTENT = Row("misconfigured", "not_sent", again="never")

# DirectMail client errors; all come as HTTP 4xx.
CODES: dict[str, Row] = {
    "InvalidMailAddress.NotFound": _WRONG,
    "InvalidMailAddressStatus.Malformed": _WRONG,
    "InvalidMailAddressDomain.Malformed": _WRONG,
    "InvalidMailAddressSendType.Malformed": _WRONG,
    "InvalidFromAlias.Malformed": _WRONG,
    "InvalidFromALias.Malformed": _WRONG,  # so the table of errors has it
    "InvalidTemplate.NotFound": _WRONG,
    "InvalidBody": _CONTENT,
    "InvalidSubject.Malformed": _CONTENT,
    "InvalidToAddress": Row("recipient_rejected", "bad_address", again="never"),
    # On the list of invalid addresses that DirectMail keeps from earlier bounces.
    "InvalidToAddress.Spam": Row("recipient_rejected", "blocked"),
    # "Check the status of the user, the frequency, the quota": any of the three.
    "InvalidSendMail.Spam": Row("rate_limited", "limited", scope="account"),
    "InternalServiceError": Row("provider_down", "not_sent", placed="maybe"),
}


def official(region: str) -> str:
    """Return the product's host for an account of this region: the mainland has but one."""
    return f"dm.{region}.aliyuncs.com" if region in _ABROAD else "dm.aliyuncs.com"


class AlibabaEmailSettings(Strict):
    """`[providers.alibaba.email]`."""

    endpoint: Annotated[str, AfterValidator(faults.check_endpoint)] = ""
    account_name: str = Field(
        pattern=r"^[!-;=?A-~]+@[A-Za-z0-9.-]+$",
        max_length=254,
        description="the sender's address in the DirectMail console, such as "
        "oncall@mail.example.com",
    )
    from_alias: str = Field(
        "ringback",
        max_length=14,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="the sender's name, of fewer than 15 characters",
    )


class AlibabaEmail:
    """Satisfies `clouds.pooled.Carrier`."""

    name = NAME
    purposes: frozenset[Purpose] = letter.PURPOSES

    def __init__(self, settings: AlibabaEmailSettings, credentials: AlibabaCredentials) -> None:
        self._settings = settings
        host = official(credentials.region)
        # Not above: 2 MB that an installation without DirectMail does not owe.
        from alibabacloud_dm20151123 import client, models  # noqa: PLC0415

        self._models: Any = models
        self._client: Any = client.Client(config(credentials, settings.endpoint, host))

    def serves(self, number: str) -> bool:
        """Say whether this is a mail address."""
        return "@" in number

    def send(self, message: Message) -> Sent:
        """Send one mail; block. Raises DeliveryError and nothing else."""
        written = letter.write(message)
        subject = letter.cut(written.subject, _SUBJECT_AT_MOST)
        account = self._settings.account_name
        request = self._models.SingleSendMailRequest(
            account_name=account,
            address_type=_OF_THE_SENDER,
            reply_to_address=False,
            to_address=letter.mailbox(message.to),
            from_alias=self._settings.from_alias,
            subject=subject,
            html_body=written.html,
            text_body=written.text,
            # Of the standard headers it takes this one alone, besides List-Unsubscribe.
            headers=json.dumps({"Message-ID": letter.message_id(message, account)}),
            click_trace="0",
            # A reader who unsubscribes, perhaps by a mistaken touch, could never be paged again.
            un_subscribe_link_type="disabled",
            un_subscribe_filter_level="disabled",
        )
        try:
            env_id = self._client.single_send_mail(request).body.env_id
        except Exception as exc:  # noqa: BLE001 - as documented, and as the wire surprises
            # From None: a traceback that anyone prints would show the address and the message.
            raise error_of(exc, CODES) from None
        if not env_id:
            raise faults.without_id(NAME, "no_env_id")
        return Sent(str(env_id), subject, silence_s=0)

    def probe(self) -> Proof:
        """Ask for the sender's address, which sends nothing."""
        account = self._settings.account_name
        # Any other sign, such as "_", is not asked for: the longest part without one finds it too.
        key_word = max(_KEY_WORD.findall(account), key=len)
        request = self._models.QueryMailAddressByParamRequest(key_word=key_word)
        try:
            found: Any = self._client.query_mail_address_by_param(request).body.data
        except Exception as exc:  # noqa: BLE001 - whatever it is, its code says what to do
            code = error_of(exc, CODES).code
        else:
            addresses: list[Any] = (found and found.mail_address) or []
            known = any(one.account_name == account for one in addresses)
            code = "OK" if known else "InvalidMailAddress.NotFound"
        return judge(
            code,
            refuses_keys=KEYS_WRONG.match(code) is not None,
            refuses_account=code in CODES and CODES[code] is _WRONG,
            from_product=code == "OK" or code in CODES,
            keys=KEYS,
            account=(" account_name 与邮件推送服务", "account_name and the DirectMail product"),
        )
