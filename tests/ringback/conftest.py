"""Settings as an installation would write them."""

from pathlib import Path

import pytest

SETTINGS = """\
[server]
public_url = "https://pager.example.org/"

[security]
secret_keys = ["secret-key-of-32-characters-long"]
admin_token = "admin-token-of-32-characters-lon"
callback_tokens = ["callback-token-new", "callback-token-old"]

[operators]
policy = "ops"

[providers.alibaba]
access_key_id = "LTAI-test"
access_key_secret = "alibaba-secret"
[providers.alibaba.voice]
show_numbers = ["05710000000"]
[providers.alibaba.voice.templates]
page = { id = "TTS_1", text = "${level}告警,${title}。认领请按1。", \
params = { level = "severity", title = "title" } }
reply = { id = "TTS_2", text = "已收到按键。" }

[providers.tencent]
secret_id = "AKID-test"
secret_key = "tencent-secret"
[providers.tencent.voice]
sdk_app_id = "1400000000"
[providers.tencent.voice.templates]
page = { id = "1001", text = "{1}告警,{2}。认领请按1。", params = ["severity", "title"] }
"""


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """Return a settings file with both providers on."""
    path = tmp_path / "ringback.toml"
    path.write_text(SETTINGS, "utf-8")
    return path
