"""What an installation that also sends texts and mails is told, and what its carriers are told."""

import json
from collections.abc import Sequence
from typing import Any

from sandbox.server import Running

CALLBACK_TOKEN = "callback-token-of-the-tests"
SIGN = "值班"
MAIL_FROM = "oncall@example.com"
CHAIN = [
    {"channel": "voice", "tries": 1},
    {"channel": "sms", "after": 60},
    {"channel": "email", "after": 120},
]
# By purpose, then Chinese and English.
TEXTS = {
    "alibaba": {
        "SMS_1": "告警${title},级别${level},编号${code}。回复1认领。",
        "SMS_2": "Alert ${title}, ${level}, code ${code}. Reply 1 to acknowledge.",
        "SMS_3": "告警${number}由${who}处理。回复1认领,2转给下一位,3静音。",
        "SMS_4": "${who} has alert ${number}. Reply 1 acknowledge, 2 next person, 3 mute.",
    },
    "tencent": {
        "2001": "告警{1},级别{2},编号{3}。回复1认领。",
        "2002": "Alert {1}, {2}, code {3}. Reply 1 to acknowledge.",
        "2003": "告警{1}由{2}处理。回复1认领,2转给下一位,3静音。",
        "2004": "Alert {1} is with {2}. Reply 1 acknowledge, 2 next person, 3 mute.",
    },
}
_PARAMS = {
    "alibaba": (
        '{ title = "title", level = "severity", code = "code" }',
        '{ number = "number", who = "responder" }',
    ),
    "tencent": ('["number", "severity", "code"]', '["number", "responder"]'),
}


def channels(order: Sequence[str]) -> str:
    """The order of each channel: mail goes by the mail server first where texts go by Tencent."""
    mail = ["alibaba", "smtp"] if order[0] == "alibaba" else ["smtp", "alibaba"]
    return f"sms = {json.dumps(list(order))}\nemail = {json.dumps(mail)}"


def providers(sandbox: Running) -> str:
    """The tables of the providers, which are the sandbox."""
    return f"""
[providers.alibaba.sms]
endpoint = "{sandbox.url}"
sign_name = "{SIGN}"
{_templates("alibaba")}
[providers.alibaba.email]
endpoint = "{sandbox.url}"
account_name = "{MAIL_FROM}"
[providers.tencent.sms]
endpoint = "{sandbox.url}"
sdk_app_id = "1400000001"
sign_name = "{SIGN}"
{_templates("tencent")}
[providers.smtp]
host = "127.0.0.1"
port = {sandbox.smtp_port}
from = "{MAIL_FROM}"
"""


def _templates(carrier: str) -> str:
    lines = [f"[providers.{carrier}.sms.templates]"]
    texts = iter(TEXTS[carrier].items())
    for purpose, params in zip(("page", "notice"), _PARAMS[carrier], strict=True):
        for locale in ("zh-CN", "en"):
            id_, text = next(texts)
            told = f'id = "{id_}", text = "{text}", params = {params}'
            lines.append(f"{purpose}.{locale} = {{ {told} }}")
    return "\n".join(lines)


def account(carrier: str, callbacks: str) -> dict[str, Any]:
    """What the sandbox is told of this carrier's account; `callbacks`: the service's address."""
    own: dict[str, dict[str, Any]] = {
        "alibaba": {"mail_account_names": [MAIL_FROM]},
        "tencent": {"sms_sdk_app_ids": ["1400000001"]},
    }
    return {
        **own[carrier],
        "sms_sign_names": [SIGN],
        "sms_templates": TEXTS[carrier],
        "sms_report_url": f"{callbacks}/{carrier}/sms-report/{CALLBACK_TOKEN}",
        "sms_reply_url": f"{callbacks}/{carrier}/sms-reply/{CALLBACK_TOKEN}",
    }
