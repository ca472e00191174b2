"""The addresses to paste into the carriers' consoles."""

from ringback.settings import Provider, Settings

_WHERE: dict[Provider, tuple[str, ...]] = {
    "alibaba": (
        "阿里云:语音服务控制台的回执消息配置,HTTP 批量推送;VoiceReport 与 VoiceCallReport 都填此地址",
        "Alibaba Cloud: Voice Messaging console, receipt messages, HTTP batch push; this address "
        "for both VoiceReport and VoiceCallReport",
    ),
    "tencent": (
        "腾讯云:语音消息控制台中应用的回调地址(状态、按键与失败共用)",
        "Tencent Cloud: Voice Message console, callback address of the application (status, keys "
        "and failures share it)",
    ),
}


def callback_url(settings: Settings, provider: Provider) -> str:
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
