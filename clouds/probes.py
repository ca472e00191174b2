"""What a request that sends nothing proves of an account, in both languages."""

from typing import Literal

Proof = tuple[Literal["proved", "unprovable", "wrong"], dict[str, str]]

_UNREACHABLE = ("not_connected", "answer_lost")


def judge(  # noqa: PLR0913 - what a code may say, and where to look then
    code: str,
    *,
    refuses_keys: bool,
    refuses_account: bool,
    from_product: bool,
    keys: tuple[str, str],
    account: tuple[str, str],
) -> Proof:
    """Return what a carrier's answer to a probe proves. `keys`, `account`: where to look.

    Only an answer of the product itself, `from_product`, proves the keys.
    """
    if refuses_keys:
        return "wrong", {
            "zh-CN": f"密钥被拒绝({code}):检查{keys[0]}",
            "en": f"the keys were refused ({code}): check {keys[1]}",
        }
    if code in _UNREACHABLE:
        return "wrong", {
            "zh-CN": f"连接不上({code}):检查网络与 endpoint",
            "en": f"not reached ({code}): check the network and endpoint",
        }
    if refuses_account:
        return "wrong", {
            "zh-CN": f"账号不可用({code}):检查{account[0]}",
            "en": f"this account cannot be used ({code}): check {account[1]}",
        }
    if from_product:
        return "proved", {"zh-CN": "密钥有效", "en": "the keys are right"}
    return "unprovable", {
        "zh-CN": f"对方未能处理({code}):稍后再试",
        "en": f"not answered properly ({code}): try again later",
    }
