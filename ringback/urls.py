"""The addresses to paste into the carriers' consoles."""

from ringback.settings import Provider, Settings

_WHERE: dict[Provider, tuple[str, str]] = {
    "alibaba": (
        "阿里云语音服务控制台,回执消息,HTTP 批量推送:VoiceReport 与 VoiceCallReport",
        "Alibaba Cloud, voice console, receipts, HTTP batch push: VoiceReport, VoiceCallReport",
    ),
    "tencent": (
        "腾讯云语音消息控制台,应用的回调地址(状态、按键与失败共用)",
        "Tencent Cloud, voice message console, callback address of the application",
    ),
}


def callback_url(settings: Settings, provider: str) -> str:
    """Return where this provider's voice callbacks come in, with the newest token."""
    token = settings.security.callback_tokens[0].get_secret_value()
    return f"{settings.server.public_url}/callbacks/{provider}/voice/{token}"


def lines(settings: Settings) -> list[str]:
    """Return every address with the place to paste it."""
    if not settings.voice_on:
        return ["尚未启用任何服务商 / no provider is on yet: see [providers] in the settings"]
    found: list[str] = []
    for provider in settings.voice_on:
        found += [*_WHERE[provider], f"    {callback_url(settings, provider)}", ""]
    return found[:-1]
