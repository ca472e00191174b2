"""The addresses to paste into the carriers' consoles."""

from ringback.settings import Settings

# By channel, provider and product: where to paste it.
_WHERE: dict[tuple[str, str, str], tuple[str, str]] = {
    ("voice", "alibaba", "voice"): (
        "阿里云语音服务控制台,回执消息,HTTP 批量推送:VoiceReport 与 VoiceCallReport",
        "Alibaba Cloud, voice console, receipts, HTTP batch push: VoiceReport, VoiceCallReport",
    ),
    ("voice", "tencent", "voice"): (
        "腾讯云语音消息控制台,应用的回调地址(状态、按键与失败共用)",
        "Tencent Cloud, voice message console, callback address of the application",
    ),
    ("sms", "alibaba", "sms-report"): (
        "阿里云短信服务控制台,接收消息配置,HTTP 批量推送:短信发送状态 SmsReport",
        "Alibaba Cloud, SMS console, receipts, HTTP batch push: SmsReport",
    ),
    ("sms", "alibaba", "sms-reply"): (
        "阿里云短信服务控制台,接收消息配置,HTTP 批量推送:上行短信 SmsUp",
        "Alibaba Cloud, SMS console, receipts, HTTP batch push: SmsUp",
    ),
    ("sms", "tencent", "sms-report"): (
        "腾讯云短信控制台,应用的短信下发状态回调地址",
        "Tencent Cloud, SMS console, the application's callback address for delivery reports",
    ),
    ("sms", "tencent", "sms-reply"): (
        "腾讯云短信控制台,应用的短信回复回调地址",
        "Tencent Cloud, SMS console, the application's callback address for replies",
    ),
}


def callback_url(settings: Settings, provider: str, product: str) -> str:
    """Return where this provider's callbacks of a product come in, with the newest token."""
    token = settings.security.callback_tokens[0].get_secret_value()
    return f"{settings.server.public_url}/callbacks/{provider}/{product}/{token}"


def lines(settings: Settings) -> list[str]:
    """Return every address with the place to paste it."""
    found: list[str] = []
    for (channel, provider, product), where in _WHERE.items():
        if provider in settings.on("voice" if channel == "voice" else "sms"):
            found += [*where, f"    {callback_url(settings, provider, product)}", ""]
    return found[:-1] or [
        "尚未启用任何服务商 / no provider is on yet: see [providers] in the settings"
    ]
