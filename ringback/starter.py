"""What `ringback init` writes: settings with fresh secrets, and a team of one."""

import os
import secrets
from pathlib import Path
from string import Template

from paging.errors import SettingsError

SETTINGS = "ringback.toml"
TEAM = "team.toml"

_SETTINGS = Template("""\
# ringback 的设置。每个值也可由环境变量给出,例如 RINGBACK_SECURITY__ADMIN_TOKEN。
# Settings of ringback. Each value may come from the environment instead, such as
# RINGBACK_SECURITY__ADMIN_TOKEN. `ringback check` says what is still missing.

[server]
host = "127.0.0.1"
port = 8080
# 运营商从公网访问本服务的地址 / where carriers reach this service, from the public internet
public_url = "https://ringback.example.com"

[database]
url = "sqlite:///ringback.db"   # 相对于启动目录 / relative to where `ringback serve` is started

[security]                      # 本文件含密钥,请勿提交 / secrets live here: do not commit this file
secret_keys = ["$secret_key"]
admin_token = "$admin_token"    # API 的令牌 / the token of the API
callback_tokens = ["$callback_token"]   # 回调地址中的令牌 / in the callback addresses
# allowed_networks = { tencent = ["203.0.113.0/24"] }

[operators]
# ringback 自身出问题时呼叫谁,或 "none" / who is paged about ringback itself, or "none"
policy = "ops"

[menu]                          # 按键 / what the keys do in a call
1 = "acknowledge"               # 认领
2 = "escalate"                  # 转下一位 / next person now
3 = "mute"                      # 静音30分钟 / for 30 minutes
# 9 = "close"

# [channels]                    # 故障切换的顺序 / the failover order
# voice = ["alibaba", "tencent"]
# sms = ["alibaba", "tencent"]
# email = ["alibaba", "smtp"]

# 有表即启用。模板文本见 `ringback templates`,审核通过后填入编号。
# A provider is on when its table is there. `ringback templates` prints the texts to have approved
# and the [providers.*.voice.templates] and [providers.*.sms.templates] tables to fill in
# afterwards. 邮件无需审核。 / Mail needs no approval.

# [providers.alibaba]
# access_key_id = ""
# access_key_secret = ""
# [providers.alibaba.voice]
# mode = "ivr"                  # "tts": 未购买号码,按键收不到 / no number bought, no keys come back
# show_numbers = ["05710000000"]
# [providers.alibaba.sms]
# sign_name = ""                # 已审核的短信签名,不含【】 / the approved sign name, without 【】
# [providers.alibaba.email]     # 邮件推送 / DirectMail
# account_name = "oncall@mail.example.com"

# [providers.tencent]
# secret_id = ""
# secret_key = ""
# [providers.tencent.voice]
# sdk_app_id = "1400000000"
# [providers.tencent.sms]       # 短信应用,不是语音应用 / an application of SMS, not that of voice
# sdk_app_id = "1400000001"
# sign_name = ""
# variable_chars = 6            # 每个变量的字数上限 / most characters of a variable

# [providers.smtp]              # 任何邮件服务器 / any mail server
# host = "smtp.example.com"
# port = 587
# from = "oncall@example.com"
# username = "oncall@example.com"
# password = ""
# security = "starttls"         # 或 / or "tls", "none"

# [timing]                      # 秒 / seconds
# receipt_silence = { voice = 90, sms = 120 }
# ambiguous_wait = { voice = 45, sms = 5, carrier_error = 5 }
""")

_TEAM = """\
# 团队:`ringback apply team.toml` 写入,重复执行不再改变任何东西。
# The team. `ringback apply team.toml` puts it in place; a second run changes nothing.

[responders.you]
name = "You"
# phone = "+8613700000000"      # 您的号码,含国家码 / your number, with + and country code
# email = "you@example.com"
locale = "zh-CN"                # "zh-CN" 或 / or "en"
timezone = "Asia/Shanghai"

[policies.default]              # 普通告警 / for your incidents
name = "Default"
repeat = 2                      # 再重复几轮 / rounds after the first

[[policies.default.steps]]
targets = ["responder:you"]
notify = [                      # 前面的都失败则提前 / sooner, once all before it have failed
    { channel = "voice", after = 0, tries = 2, gap = 90 },
    # { channel = "sms", after = 60 },
    # { channel = "email", after = 120 },
]
wait = 300                      # 秒,之后进入下一步 / seconds, then the next step

[policies.ops]                  # ringback 自身的问题 / about ringback itself
name = "Operators"

[[policies.ops.steps]]
targets = ["responder:you"]
notify = ["voice"]
"""


def write(directory: Path) -> list[Path]:
    """Write both files and return them. Raises SettingsError, before writing, if one is there."""
    texts = {
        directory / SETTINGS: _SETTINGS.substitute(
            secret_key=secrets.token_urlsafe(32),
            admin_token=secrets.token_urlsafe(32),
            callback_token=secrets.token_urlsafe(32),
        ),
        directory / TEAM: _TEAM,
    }
    try:
        for path in texts:
            if path.exists():
                raise SettingsError(
                    f"{path}: is there already; move it away or name another directory"
                )
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            # Secrets: for this user's eyes only, from the first moment on.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as exc:
        raise SettingsError(f"{directory}: {exc.strerror}") from exc
    return list(texts)
