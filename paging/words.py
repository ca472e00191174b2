"""The timeline in words, in Chinese and in English.

Every choice leaves a line that a person understands, also one just woken.
"""

from collections.abc import Mapping
from typing import Any

_OUTCOMES: dict[str, tuple[str, str]] = {
    "busy": ("忙线", "busy"),
    "no_answer": ("无人接听", "no answer"),
    "off": ("关机", "switched off"),
    "rejected": ("拒接", "declined"),
    "bad_number": ("空号或号码有误", "no such number"),
    "blocked": ("被拦截", "blocked"),
    "suspended": ("停机", "service suspended"),
    "out_of_coverage": ("不在服务区", "out of coverage"),
    "unreachable": ("无法接通", "unreachable"),
    "no_key": ("接听但未按键", "answered, no key pressed"),
    "wrong_key": ("接听但按键无效", "answered, only keys without a meaning pressed"),
    "hung_up": ("接听后挂断,未按键", "answered, hung up without a key"),
    "no_receipt": ("没有回执", "no receipt"),
    "limited": ("触发限频", "a limit was reached"),
    "not_sent": ("未能发出", "could not be sent"),
    "bad_address": ("地址有误", "no such address"),
    "mailbox_full": ("邮箱已满", "the mailbox is full"),
    "undelivered": ("未送达", "not delivered"),
}
_CHANNELS = {"voice": ("电话", "call"), "sms": ("短信", "text"), "email": ("邮件", "mail")}
_PROVIDERS = {
    "alibaba": ("阿里云", "Alibaba Cloud"),
    "tencent": ("腾讯云", "Tencent Cloud"),
    "smtp": ("邮件服务器", "the mail server"),
}
_NOTICE = ("通知短信", "notice text")
_UNVERIFIED = (",该联系方式未经验证", "; nobody has verified this contact")
_STATUSES = {
    "acknowledged": ("已被认领", "acknowledged already"),
    "closed": ("已关闭", "closed already"),
}

# (type, reason) -> (Chinese, English); a reason of "*" serves those that are not listed.
_SENTENCES: dict[tuple[str, str], tuple[str, str]] = {
    ("incident.triggered", "accepted"): ("已受理", "accepted"),
    ("incident.triggered", "reopen"): (
        "手动关闭后仍在告警,重新打开",
        "still firing after it was closed by hand: opened again",
    ),
    ("incident.triggered", "page_again"): ("重新呼叫", "paged again"),
    ("incident.triggered", "exhausted"): (
        "告警{number}无人认领:{title}",
        "incident {number} reached nobody: {title}",
    ),
    ("incident.triggered", "misconfigured"): (
        "{provider}配置有误({code})",
        "{provider} is misconfigured ({code})",
    ),
    ("incident.triggered", "calendar"): (
        "值班表{schedule}的日历无法读取({error}),沿用上次读到的内容",
        "the calendar of schedule {schedule} cannot be read ({error}): what it last said holds",
    ),
    ("incident.triggered", "circuits_open"): (
        "{channel}渠道的服务商全部故障:{providers}",
        "every provider of {channel}s is failing: {providers}",
    ),
    ("incident.triggered", "no_callback"): (
        "从未收到{provider}的{channel}回调:回调地址填了吗?见 ringback urls",
        "no callback of {provider} about {channel}s has ever arrived: see ringback urls",
    ),
    ("incident.triggered", "out_of_credit"): (
        "{provider}余额不足({code})",
        "{provider} is out of credit ({code})",
    ),
    ("incident.triggered", "broken"): (
        "告警{number}因内部错误无法呼叫,每分钟重试",
        "incident {number} cannot be paged for a fault of ringback, tried again every minute",
    ),
    ("incident.repeated", "*"): ("再次上报", "reported again"),
    ("incident.acknowledged", "*"): ("{by}已认领", "{by} acknowledged"),
    ("incident.acknowledged_again", "*"): (
        "{by}也想认领,但{owner}{status}",
        "{by} wanted it too, but {owner} has it: {status}",
    ),
    ("incident.unacknowledged", "*"): ("{by}放弃认领,重新呼叫", "{by} gave it back: paging again"),
    ("incident.muted", "*"): ("{by}静音至{until}", "{by} muted it until {until}"),
    ("incident.unmuted", "unmuted"): ("{by}取消静音", "{by} unmuted it"),
    ("incident.unmuted", "time_over"): ("静音到期,重新呼叫", "the mute is over: paging again"),
    ("incident.escalated", "asked"): (
        "{by}要求转到第{step}步(第{round}轮)",
        "{by} asked to move on: step {step}, round {round}",
    ),
    ("incident.escalated", "last_step"): (
        "{by}请求转下一位,但已是最后一步",
        "{by} asked to move on, but this was the last step",
    ),
    ("incident.escalated", "nothing_left"): (
        "上一步已无人可叫,进入第{step}步(第{round}轮)",
        "nobody left to try in the step before: step {step}, round {round}",
    ),
    ("incident.escalated", "wait_over"): (
        "等待结束,进入第{step}步(第{round}轮)",
        "the wait is over: step {step}, round {round}",
    ),
    ("incident.exhausted", "*"): (
        "{rounds}轮呼叫后仍无人认领;之后认领仍然有效",
        "nobody took it in {rounds} rounds; it can still be acknowledged",
    ),
    ("incident.closed", "*"): ("{by}已关闭", "{by} closed it"),
    ("attempt.submitted", "submitted"): (
        "{provider}已受理{channel}{unverified}",
        "{provider} took the {channel}{unverified}",
    ),
    ("attempt.submitted", "doubtful"): (
        "{provider}没有明确答复({code}),{channel}可能已发出;等回执{wait_s}秒",
        "{provider} answered unclearly ({code}), the {channel} may be out; {wait_s} s to hear",
    ),
    ("attempt.submitted", "restarted"): (
        "服务在发出途中重启,{channel}可能已发出;等回执{wait_s}秒",
        "the service restarted meanwhile, the {channel} may be out; {wait_s} s for a receipt",
    ),
    ("attempt.delivered", "*"): ("短信已送达", "the text was delivered"),
    ("reply.received", "acknowledge"): ("回复“{text}”:认领", "replied “{text}”: acknowledge"),
    ("reply.received", "escalate"): ("回复“{text}”:转下一位", "replied “{text}”: next person"),
    ("reply.received", "mute"): ("回复“{text}”:静音", "replied “{text}”: mute"),
    ("reply.received", "close"): ("回复“{text}”:关闭", "replied “{text}”: close"),
    ("reply.received", "too_late"): (
        "回复“{text}”:太迟,未生效",
        "replied “{text}”: too late, nothing done",
    ),
    ("reply.received", "unknown_code"): (
        "回复“{text}”:无法确定是哪条告警,未生效",
        "replied “{text}”: no telling which incident is meant, nothing done",
    ),
    ("reply.received", "*"): (
        "回复“{text}”:无法理解,未生效",
        "replied “{text}”: not understood, nothing done",
    ),
    ("attempt.ringing", "*"): ("响铃", "ringing"),
    ("attempt.answered", "*"): ("已接听", "answered"),
    ("attempt.key_pressed", "acknowledge"): ("按了{digit}:认领", "pressed {digit}: acknowledge"),
    ("attempt.key_pressed", "escalate"): ("按了{digit}:转下一位", "pressed {digit}: next person"),
    ("attempt.key_pressed", "mute"): ("按了{digit}:静音", "pressed {digit}: mute"),
    ("attempt.key_pressed", "close"): ("按了{digit}:关闭", "pressed {digit}: close"),
    ("attempt.key_pressed", "not_in_menu"): (
        "按了{digit}:不在菜单中,未生效",
        "pressed {digit}: not in the menu, nothing done",
    ),
    ("attempt.key_pressed", "too_late"): (
        "按了{digit}:太迟,未生效",
        "pressed {digit}: too late, nothing done",
    ),
    ("attempt.failed", "*"): ("{provider}:{outcome}{code}", "{provider}: {outcome}{code}"),
    ("attempt.cancelled", "*"): ("未发出:已被认领", "not sent: somebody had taken it"),
    ("attempt.unconfirmed", "*"): (
        "{provider}一直没有回执,按未接通处理",
        "{provider} never sent a receipt: taken as not reached",
    ),
    ("notification.skipped", "severity"): (
        "未通知:{channel}不用于{severity}级别",
        "not told: {channel}s are not for {severity}",
    ),
    ("notification.skipped", "hours"): (
        "未通知:不在{hours}时段内",
        "not told: outside {hours}",
    ),
    ("notification.skipped", "no_phone"): ("未通知:没有电话号码", "not told: no phone number"),
    ("notification.skipped", "no_email"): ("未通知:没有邮箱地址", "not told: no email address"),
    ("notification.skipped", "no_provider"): (
        "未通知:没有已启用的服务商可向此人发{channel}",
        "not told: no provider that is on reaches this person by {channel}",
    ),
    ("notification.skipped", "unverified"): (
        "未通知:联系方式未经验证,而策略要求验证",
        "not told: the contact is not verified, and the policy asks for that",
    ),
    ("notification.skipped", "no_responder"): ("未通知:查无此人", "not told: no such responder"),
    ("oncall.read", "override"): (
        "值班表{schedule}:现由{person}替班",
        "schedule {schedule}: {person} is on call, by an override",
    ),
    ("oncall.read", "*"): (
        "值班表{schedule}:现由{person}值班",
        "schedule {schedule}: {person} is on call",
    ),
    ("oncall.gap", "no_schedule"): (
        "值班表{schedule}已不存在:无人可通知",
        "schedule {schedule} is no more: nobody to tell",
    ),
    ("oncall.gap", "override"): (
        "值班表{schedule}:此时段按安排无人值班",
        "schedule {schedule}: nobody is on call now, by an override",
    ),
    ("oncall.gap", "*"): (
        "值班表{schedule}:此时无人值班",
        "schedule {schedule}: nobody is on call now",
    ),
    ("notification.delayed", "on_a_call"): (
        "稍后呼叫:此人正在接听我们的另一通电话",
        "called later: this person is in another call of ours",
    ),
    ("notification.delayed", "postponed"): (
        "{provider}要求稍后再试:{wait_s}秒后再发{channel},其余通知照常进行",
        "{provider} asked for some time: {channel} again in {wait_s} s, nothing else waits for it",
    ),
    ("provider.failed_over", "circuit_open"): (
        "{provider}近来连续故障,暂不使用,改用{to}",
        "{provider} has been failing and is left alone for now: {to} instead",
    ),
    ("provider.failed_over", "probe_out"): (
        "正在试探{provider}是否恢复,改用{to}",
        "whether {provider} works again is being found out: {to} instead",
    ),
    ("provider.failed_over", "resting"): (
        "{provider}账户触发限频,暂不使用,改用{to}",
        "{provider} has reached its account's limit and rests: {to} instead",
    ),
    ("provider.failed_over", "*"): (
        "{provider}未接通({outcome}),改用{to}",
        "{provider} did not get through ({outcome}): trying {to}",
    ),
}


def sentence(type_: str, detail: Mapping[str, Any]) -> dict[str, str]:
    """Return one line of the timeline in both languages."""
    reason = str(detail.get("reason", ""))
    texts = _SENTENCES.get((type_, reason)) or _SENTENCES.get((type_, "*")) or (reason, reason)
    return {
        locale: text.format_map(_Values(detail, language))
        for language, (locale, text) in enumerate(zip(("zh-CN", "en"), texts, strict=True))
    }


class _Values(dict[str, str]):
    """The detail's figures as words; what a sentence asks for and the detail lacks stays blank."""

    def __init__(self, detail: Mapping[str, Any], language: int) -> None:
        super().__init__()
        self._detail = detail
        self._language = language

    def __missing__(self, key: str) -> str:
        value, language = self._detail.get(key), self._language
        reason = str(self._detail.get("reason"))
        if key == "code":
            in_brackets = {0: f"({value})", 1: f" ({value})"}[language]
            return in_brackets if value and reason != "doubtful" else str(value or "")
        if key == "unverified":
            return _UNVERIFIED[language] if value else ""
        if key == "channel" and self._detail.get("purpose") == "notice":
            return _NOTICE[language]
        if key in ("outcome", "status"):
            value = reason if key == "status" else value or reason
        known = _KNOWN.get(key, {}).get(str(value))
        if known is not None:
            return known[language]
        return "" if value is None or key == "status" else str(value)


_KNOWN = {
    "outcome": _OUTCOMES,
    "status": _STATUSES,
    "provider": _PROVIDERS,
    "to": _PROVIDERS,
    "channel": _CHANNELS,
}
