"""What both carriers take for a link in a variable of a text, and what not."""

import json

import pytest

from tests.sandbox.conftest import Sandbox, code_of

REFUSED = {
    "alibaba": "isv.PARAM_NOT_SUPPORT_URL",
    "tencent": "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
}
LINKS = [
    "http://x",
    "见HTTPS://示例.中国/a",
    "ftp://db-1/x",
    "weixin://dl/chat",
    "www.example",
    "见Www.示例.中国",
    "example.com",
    "访问db.example.cn查看",
    "t.cn/A6x",
    "dwz.tax/x",
    "10.0.0.1",
    "主机fe80::1满",
]
HARMLESS = [
    "HTTP 500",
    "https 证书过期",
    "HTTP/1.1 502",
    "http: timeout",
    "db-1 example com",
    "磁盘 1.5GB/s",
    "v1.2/x",
    "10:30:00",
    "10-0-0-1",
    "node.js down",
    "www 5xx",
    "99.9%",
]


def asked_with(sandbox: Sandbox, carrier: str, value: str) -> str:
    """What a text with this in a variable is answered: OK or why not."""
    sandbox.settings(tencent={"sms_variable_chars": 35})
    given = json.dumps({"title": value, "code": "7"})
    change = {
        "alibaba": {"TemplateParam": given},
        "tencent": {"TemplateParamSet": [value, "7"]},
    }[carrier]
    return code_of(sandbox.ask_text(carrier, change))


@pytest.mark.parametrize("carrier", REFUSED)
@pytest.mark.parametrize("value", LINKS)
def test_a_link_in_a_variable_is_refused(sandbox: Sandbox, carrier: str, value: str) -> None:
    assert asked_with(sandbox, carrier, value) == REFUSED[carrier]
    assert sandbox.texts() == []


@pytest.mark.parametrize("carrier", REFUSED)
@pytest.mark.parametrize("value", HARMLESS)
def test_what_leads_nowhere_is_texted_as_it_is(sandbox: Sandbox, carrier: str, value: str) -> None:
    assert asked_with(sandbox, carrier, value) == "OK"
    (text,) = sandbox.texts()
    assert value in text["text"]
