"""The texts that carriers have to approve.

What to paste into their forms, and what goes into the settings once they have.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clouds.templates import Suggestion, Template
from paging.menu import DEFAULT
from ringback.settings import Draft
from sms import text as sms
from telephony import templates as voice

_ALIBABA_DEDICATED = (
    "# 阿里云:语音服务控制台,文本转语音模板,专属模式。",
    "# Alibaba Cloud: Voice Messaging console, text-to-speech templates, dedicated mode.",
)
_ALIBABA_SHARED = (
    "# 阿里云:语音服务控制台,文本转语音模板,公共模式(未购买号码:收不到按键)。",
    "# Alibaba Cloud: Voice Messaging console, text-to-speech templates, shared mode (no",
    "# number was bought: no keys come back).",
)
_TENCENT_VOICE = (
    "# 腾讯云:语音消息控制台,正文模板。",
    "# Tencent Cloud: Voice Message console, voice templates.",
)
_ALIBABA_SMS = (
    "# 阿里云:短信服务控制台,国内消息,模板管理。类型:code 选验证码,其余选通知短信。",
    "# Alibaba Cloud: SMS console, domestic messages, templates. The type of code is 验证码",
    "# (verification code), that of the others 通知短信 (notification).",
)
_TENCENT_SMS = (
    "# 腾讯云:短信控制台,国内短信,正文模板。类型:code 选验证码,其余选通知。",
    "# 新账号的通知模板可能不准含变量:如被驳回,请联系腾讯云开通。",
    "# Tencent Cloud: SMS console, mainland, body templates. The type of code is 验证码",
    "# (verification code), that of the others 通知 (notification). New accounts may have no",
    "# variables in notifications: if a text is turned down for it, ask Tencent to allow them.",
)
_HOW = (
    "# 把每段文字一字不差地提交审核;通过后把编号填入 id,并把此表粘贴到 ringback.toml。",
    "# Submit each text word for word. Once it is approved fill in its id, and paste this table",
    "# into ringback.toml.",
)
_LANGUAGES = {"zh-CN": "中文 zh-CN", "en": "英文 en"}


@dataclass(frozen=True, slots=True)
class _Form:
    """What one carrier is asked to approve for one channel.

    `table`: of the settings, without its `templates`. `where`: the carrier's form, as comments.
    `id_`: what the carrier's ids look like, with a place for a number.
    """

    table: str
    where: Sequence[str]
    id_: str
    texts: Sequence[Suggestion]

    def by_purpose(self) -> dict[str, dict[str, Template]]:
        """Return the texts by purpose and language."""
        found: dict[str, dict[str, Template]] = {}
        for one in self.texts:
            found.setdefault(one.purpose, {})[one.locale] = one.template
        return found


def _forms(draft: Draft) -> list[_Form]:
    rules, where = (
        (voice.ALIBABA_DEDICATED, _ALIBABA_DEDICATED)
        if draft.has_number
        else (voice.ALIBABA_SHARED, _ALIBABA_SHARED)
    )
    menu = draft.menu
    spoken, spoken_tencent = voice.suggested(rules, menu), voice.suggested(voice.TENCENT, menu)
    texted, texted_tencent = sms.suggested("named", menu), sms.suggested("positional", menu)
    return [
        _Form("providers.alibaba.voice", where, "TTS_{}", spoken),
        _Form("providers.alibaba.sms", _ALIBABA_SMS, "SMS_{}", texted),
        _Form("providers.tencent.voice", _TENCENT_VOICE, "{}", spoken_tencent),
        _Form("providers.tencent.sms", _TENCENT_SMS, "{}", texted_tencent),
    ]


def suggestions(draft: Draft) -> list[str]:
    """Return, per carrier, channel, purpose and language, the text to submit and the settings.

    As a whole they are TOML. The ids are empty, so that one that was not filled in is refused.
    """
    found: list[str] = []
    for form in _forms(draft):
        found += [*form.where, *_HOW, "", f"[{form.table}.templates]"]
        for purpose, by_locale in form.by_purpose().items():
            for locale, template in by_locale.items():
                found += [f"# {purpose}, {_LANGUAGES[locale]}:", f"#     {template.text}"]
            unfilled = {
                locale: template.model_copy(update={"id": ""})
                for locale, template in by_locale.items()
            }
            found += [*_lines(purpose, unfilled), ""]
    return found[:-1]


def demo_templates() -> list[str]:
    """Return the settings' lines of both carriers with made-up ids, as if all were approved."""
    found: list[str] = []
    number = 100_000
    for form in _forms(Draft(DEFAULT, has_number=True)):
        found.append(f"[{form.table}.templates]")
        for purpose, by_locale in form.by_purpose().items():
            named: dict[str, Template] = {}
            for locale, template in by_locale.items():
                number += 1
                named[locale] = template.model_copy(update={"id": form.id_.format(number)})
            found += _lines(purpose, named)
    return found


def approved(templates: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, str]:
    """Return the texts by id, as the carrier's console would know them.

    `templates`: as in the settings, by purpose and language.
    """
    return {
        template["id"]: template["text"]
        for by_locale in templates.values()
        for template in by_locale.values()
    }


def _lines(purpose: str, by_locale: Mapping[str, Template]) -> list[str]:
    """Return one line of TOML per language: dotted keys, so that each can be left out alone."""
    return [f"{purpose}.{locale} = {_inline(one)}" for locale, one in by_locale.items()]


def _inline(template: Template) -> str:
    if isinstance(template.params, dict):
        named = ", ".join(f'{name} = "{value}"' for name, value in template.params.items())
        params = f"{{ {named} }}" if named else "{}"
    else:
        params = json.dumps(list(template.params))
    text = json.dumps(template.text, ensure_ascii=False)
    return f'{{ id = "{template.id}", text = {text}, params = {params} }}'
