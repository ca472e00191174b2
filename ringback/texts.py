"""The texts that carriers have to approve.

What to paste into their forms, and what goes into the settings once they have.
"""

import json
from collections.abc import Mapping, Sequence

from clouds.templates import Suggestion, Template, Templates
from paging.menu import DEFAULT
from ringback.settings import Draft
from telephony.templates import ALIBABA_DEDICATED, ALIBABA_SHARED, TENCENT, suggested

_DEDICATED, _SHARED, _TENCENT = (
    (
        "# 阿里云:语音服务控制台,文本转语音模板,专属模式。",
        "# Alibaba Cloud: Voice Messaging console, text-to-speech templates, dedicated mode.",
    ),
    (
        "# 阿里云:语音服务控制台,文本转语音模板,公共模式(未购买号码:收不到按键)。",
        "# Alibaba Cloud: Voice Messaging console, text-to-speech templates, shared mode (no",
        "# number was bought: no keys come back).",
    ),
    (
        "# 腾讯云:语音消息控制台,正文模板。",
        "# Tencent Cloud: Voice Message console, voice templates.",
    ),
)
_HOW = (
    "# 把每段文字一字不差地提交审核;通过后把编号填入 id,并把此表粘贴到 ringback.toml。",
    "# Submit each text word for word. Once it is approved fill in its id, and paste this table",
    "# into ringback.toml.",
)
_LANGUAGES = {"zh-CN": "中文 zh-CN", "en": "英文 en"}


def suggestions(draft: Draft) -> list[str]:
    """Return, per carrier, purpose and language, the text to submit and the settings' lines.

    As a whole they are TOML. The ids are empty, so that one that was not filled in is refused.
    """
    alibaba = (ALIBABA_DEDICATED, _DEDICATED) if draft.has_number else (ALIBABA_SHARED, _SHARED)
    found: list[str] = []
    for carrier, (rules, where) in {"alibaba": alibaba, "tencent": (TENCENT, _TENCENT)}.items():
        found += [*where, *_HOW, "", f"[providers.{carrier}.voice.templates]"]
        for purpose, by_locale in _by_purpose(suggested(rules, draft.menu)).items():
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
    for carrier, rules, id_ in (
        ("alibaba", ALIBABA_DEDICATED, "TTS_{}"),
        ("tencent", TENCENT, "{}"),
    ):
        found.append(f"[providers.{carrier}.voice.templates]")
        number = 100_000
        for purpose, by_locale in _by_purpose(suggested(rules, DEFAULT)).items():
            named: dict[str, Template] = {}
            for locale, template in by_locale.items():
                number += 1
                named[locale] = template.model_copy(update={"id": id_.format(number)})
            found += _lines(purpose, named)
    return found


def approved(templates: Templates) -> dict[str, str]:
    """Return the texts by id, as the carrier's console would know them."""
    return {template.id: template.text for _, _, template in templates.all()}


def _by_purpose(all_of_them: Sequence[Suggestion]) -> dict[str, dict[str, Template]]:
    found: dict[str, dict[str, Template]] = {}
    for one in all_of_them:
        found.setdefault(one.purpose, {})[one.locale] = one.template
    return found


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
