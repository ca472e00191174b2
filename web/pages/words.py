"""What the pages say, in Chinese and in English."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from paging.people import Locale

# A name is kept apart from the sentence around it: it may be written from right to left.
_NAME = "\u2068{name}\u2069"

_WORDS: dict[str, tuple[str, str]] = {
    "incident": ("告警", "Incident"),
    "critical": ("严重", "Critical"),
    "warning": ("警告", "Warning"),
    "info": ("提示", "Info"),
    "since": ("{time} 起", "since {time}"),
    "sent_to": (f"发给{_NAME}", f"sent to {_NAME}"),
    "details": ("详情", "Details"),
    "source": ("打开告警来源", "Open its source"),
    "acknowledge": ("认领", "Acknowledge"),
    "nobody_has_it": ("尚无人认领", "Nobody has it yet"),
    "what_it_does": (
        "认领后，对所有人的呼叫都会停止。",
        "Once you acknowledge, all calling stops, for everyone.",
    ),
    "you_have_it": ("已由您认领", "You have it"),
    "somebody_has_it": (f"已由{_NAME}认领", f"{_NAME} has it"),
    "paging_stopped": ("呼叫已停止", "all calling has stopped"),
    "closed": ("已关闭", "Closed"),
    "nothing_to_do": ("无需再做什么。", "There is nothing left to do."),
    "opened_again": ("已重新打开", "Opened again"),
    "newer_mail": (
        "发出此链接之后，告警又被重新打开。请使用最新邮件中的链接。",
        "It was opened again after this link was sent. Use the link in the newest mail.",
    ),
    "link_gone": ("链接已失效", "This link no longer works"),
    "what_then": (
        "请打开最新一封邮件中的链接，或联系管理员。",
        "Open the link in the newest mail, or ask an administrator.",
    ),
    "unavailable": ("暂时无法处理", "Not possible just now"),
    "try_again": (
        "请稍后再试。多按一次认领没有坏处。",
        "Try again in a moment. Acknowledging twice does no harm.",
    ),
    "save_callers": (
        "保存来电号码，以便勿扰模式放行",
        "Save the numbers that call, so that do-not-disturb lets them through",
    ),
}


class Words:
    """Words of one language, as a page asks for them."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale

    def __call__(self, key: str, **values: str) -> str:
        """Return what stands under this key, with these values in it."""
        zh, en = _WORDS[key]
        return (zh if self.locale == "zh-CN" else en).format_map(values)


BOTH = (Words("zh-CN"), Words("en"))


def local_time(moment: str, responder: Mapping[str, str]) -> str:
    """Return a time of the API as this responder's clock shows it."""
    local = datetime.fromisoformat(moment).astimezone(ZoneInfo(responder["timezone"]))
    return f"{local:%Y-%m-%d %H:%M}"
