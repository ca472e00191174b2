"""The texts that carriers have to approve.

What to paste into their forms, and what goes into the settings once they have.
"""

import json
from collections.abc import Mapping, Sequence

from paging.menu import DEFAULT, Menu
from telephony.templates import (
    ALIBABA_DEDICATED,
    TENCENT,
    Rules,
    Suggestion,
    Template,
    Templates,
    suggested,
)

_CARRIERS: dict[str, tuple[Rules, str, tuple[str, ...]]] = {
    "alibaba": (
        ALIBABA_DEDICATED,
        "TTS_{}",
        (
            "# 阿里云:语音服务控制台,文本转语音模板,专属模式。审核通过后把编号填入 id。",
            "# Alibaba Cloud: Voice Messaging console, text-to-speech templates, dedicated mode.",
            "# Fill in each id once it is approved; the text has to stay word for word.",
        ),
    ),
    "tencent": (
        TENCENT,
        "{}",
        (
            "# 腾讯云:语音消息控制台,正文模板。审核通过后把编号填入 id。",
            "# Tencent Cloud: Voice Message console, voice templates.",
            "# Fill in each id once it is approved; the text has to stay word for word.",
        ),
    ),
}


def suggestions(menu: Menu | None) -> list[str]:
    """Return, per carrier, purpose and language, the text to submit and the settings' lines."""
    found: list[str] = []
    for carrier, (rules, _, where) in _CARRIERS.items():
        found += [*where, f"[providers.{carrier}.voice.templates]"]
        for purpose, by_locale in _by_purpose(suggested(rules, menu or DEFAULT)).items():
            for locale, template in by_locale.items():
                found += [f"#   {purpose} {locale}:", f"#     {template.text}"]
            found += [f"{purpose} = {_toml(by_locale)}", ""]
    return found[:-1]


def demo_templates() -> list[str]:
    """Return the settings' lines of both carriers with made-up ids, as if all were approved."""
    found: list[str] = []
    for carrier, (rules, id_, _) in _CARRIERS.items():
        found.append(f"[providers.{carrier}.voice.templates]")
        number = 100_000
        for purpose, by_locale in _by_purpose(suggested(rules, DEFAULT)).items():
            named: dict[str, Template] = {}
            for locale, template in by_locale.items():
                number += 1
                named[locale] = template.model_copy(update={"id": id_.format(number)})
            found.append(f"{purpose} = {_toml(named)}")
    return found


def approved(templates: Templates) -> dict[str, str]:
    """Return the texts by id, as the carrier's console would know them."""
    return {template.id: template.text for _, _, template in templates.all()}


def _by_purpose(all_of_them: Sequence[Suggestion]) -> dict[str, dict[str, Template]]:
    found: dict[str, dict[str, Template]] = {}
    for one in all_of_them:
        found.setdefault(one.purpose, {})[one.locale] = one.template
    return found


def _toml(by_locale: Mapping[str, Template]) -> str:
    tables = ", ".join(f"{locale} = {_inline(one)}" for locale, one in by_locale.items())
    return f"{{ {tables} }}"


def _inline(template: Template) -> str:
    if isinstance(template.params, dict):
        named = ", ".join(f'{name} = "{value}"' for name, value in template.params.items())
        params = f"{{ {named} }}" if named else "{}"
    else:
        params = json.dumps(list(template.params))
    text = json.dumps(template.text, ensure_ascii=False)
    return f'{{ id = "{template.id}", text = {text}, params = {params} }}'
