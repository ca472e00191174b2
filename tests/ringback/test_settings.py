"""Settings come from file and environment; a wrong one is refused in one line that names it."""

import re
from pathlib import Path

import pytest

from paging.errors import SettingsError
from ringback import settings
from ringback.settings import Settings, load
from tests.ringback.conftest import SETTINGS

SECRETS = ("secret-key-of", "admin-token-of", "callback-token", "alibaba-secret", "tencent-secret")


def _load(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    path = tmp_path / "ringback.toml"
    path.write_text(text, "utf-8")
    return load(path, environ or {})


def test_defaults_are_what_the_documentation_says(settings_file: Path) -> None:
    known = load(settings_file, {})
    assert (known.server.host, known.server.port) == ("127.0.0.1", 8080)
    assert known.server.public_url == "https://pager.example.org"
    assert known.database.url == "sqlite:///ringback.db"
    assert known.menu == {"1": "acknowledge", "2": "escalate", "3": "mute"}
    assert known.order("voice") == ("alibaba", "tencent")
    assert known.timing.receipt_silence.voice == 90
    assert known.timing.ambiguous_wait.voice == 45
    assert known.timing.ambiguous_wait.carrier_error == 5


def test_the_environment_wins_over_the_file(settings_file: Path) -> None:
    known = load(
        settings_file,
        {
            "RINGBACK_CONFIG": "elsewhere.toml",
            "RINGBACK_SERVER__PORT": "8181",
            "RINGBACK_SECURITY__ADMIN_TOKEN": "a token from the environment",
            "RINGBACK_SECURITY__CALLBACK_TOKENS": '["from-the-environment"]',
            "RINGBACK_PROVIDERS__TENCENT__VOICE__SDK_APP_ID": "1400000001",
            "RINGBACK_CHANNELS__VOICE": '["tencent", "alibaba"]',
            "RINGBACK_TIMING__RECEIPT_SILENCE__VOICE": "120",
            "UNRELATED": "x",
        },
    )
    assert known.server.port == 8181
    assert known.security.admin_token.get_secret_value() == "a token from the environment"
    assert known.security.callback_tokens[0].get_secret_value() == "from-the-environment"
    assert known.security.secret_keys[0].get_secret_value() == "secret-key-of-32-characters-long"
    assert known.providers.tencent is not None
    assert known.providers.tencent.voice is not None
    assert known.providers.tencent.voice.sdk_app_id == "1400000001"
    assert known.order("voice") == ("tencent", "alibaba")
    assert known.timing.receipt_silence.voice == 120


def test_the_environment_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    known = load(
        settings.DEFAULT_PATH,
        {
            "RINGBACK_SERVER__PUBLIC_URL": "https://pager.example.org",
            "RINGBACK_SECURITY__SECRET_KEYS": '["secret-key-of-32-characters-long"]',
            "RINGBACK_SECURITY__ADMIN_TOKEN": "admin-token-of-32-characters-lon",
            "RINGBACK_SECURITY__CALLBACK_TOKENS": '["callback-token-new"]',
            "RINGBACK_OPERATORS__POLICY": "none",
        },
    )
    assert known.operators.policy_id is None


def test_a_provider_is_on_when_its_table_is_there(tmp_path: Path) -> None:
    known = _load(tmp_path, SETTINGS[: SETTINGS.index("[providers.tencent]")])
    assert known.on("voice") == ("alibaba",)
    assert known.order("voice") == ("alibaba",)


def test_secrets_are_not_shown(settings_file: Path) -> None:
    shown = repr(load(settings_file, {}))
    assert not [secret for secret in SECRETS if secret in shown]


def _without(key: str) -> str:
    return re.sub(rf"(?m)^{key} = .*\n", "", SETTINGS, count=1)


def _with(key: str, value: str) -> str:
    changed = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", SETTINGS, count=1)
    assert changed != SETTINGS
    return changed


# what was written, and the beginning of the one line that is said about it
BAD = {
    "no such key": (SETTINGS + "\n[server.x]\n", "server.x: unknown; expected one of: host, port"),
    "a misspelt key": (
        SETTINGS.replace("admin_token", "admin_tokn"),
        "security.admin_tokn: unknown; expected one of: secret_keys, admin_token, callback_tokens",
    ),
    "no admin token": (
        _without("admin_token"),
        "security.admin_token: missing; expected the secret",
    ),
    "a short admin token": (
        _with("admin_token", '"admin-token-of"'),
        "security.admin_token: expected the secret by which callers of the API prove themselves",
    ),
    "no secret keys": (_with("secret_keys", "[]"), "security.secret_keys: expected a list of"),
    "a short callback token": (
        _with("callback_tokens", '["callback-token-new", "callback-token"]'),
        "security.callback_tokens.1: expected a list of secrets of at least 16 characters",
    ),
    "a callback token that is no part of an address": (
        _with("callback_tokens", '["callback-token/of/the/path"]'),
        "security.callback_tokens: expected only letters, digits, - and _",
    ),
    "no public address": (_without("public_url"), "server.public_url: missing; expected the add"),
    "a public address without scheme": (
        _with("public_url", '"pager.example.org"'),
        "server.public_url: expected the address at which carriers reach this service, such as",
    ),
    "a port that is none": (
        SETTINGS.replace("[server]", "[server]\nport = 80800"),
        "server.port: expected the port to listen on",
    ),
    "PostgreSQL": (
        SETTINGS + '[database]\nurl = "postgresql://db/ringback"\n',
        "database.url: PostgreSQL is not available yet; expected sqlite:///FILE",
    ),
    "another database": (
        SETTINGS + '[database]\nurl = "mysql://db/ringback"\n',
        "database.url: expected sqlite:///FILE",
    ),
    "a database in memory": (
        SETTINGS + '[database]\nurl = "sqlite:///:memory:"\n',
        "database.url: expected sqlite:///FILE",
    ),
    "no operators": (
        SETTINGS.replace('[operators]\npolicy = "ops"', ""),
        "operators: missing; expected the table [operators] with policy",
    ),
    "operators without a policy": (
        _without("policy"),
        'operators.policy: missing; expected the id of a policy, or "none"',
    ),
    "a menu without 1": (
        SETTINGS + '[menu]\n9 = "close"\n',
        'menu.1: expected "acknowledge"',
    ),
    "1 that does something else": (
        SETTINGS + '[menu]\n1 = "close"\n',
        'menu.1: expected "acknowledge"',
    ),
    "a key with no meaning": (
        SETTINGS + '[menu]\n1 = "acknowledge"\n2 = "explode"\n',
        "menu.2: expected keys with what they do: acknowledge, escalate, mute or close",
    ),
    "a key that no phone has": (
        SETTINGS + '[menu]\n1 = "acknowledge"\n10 = "mute"\n',
        "menu.10: expected one key of a phone: 0 to 9, * or #",
    ),
    "an order of providers that are off": (
        SETTINGS[: SETTINGS.index("[providers.tencent]")] + '[channels]\nvoice = ["tencent"]\n',
        "channels.voice: 'tencent' is not on; expected [providers.tencent] and [providers.tenc",
    ),
    "an order with a provider twice": (
        SETTINGS + '[channels]\nvoice = ["alibaba", "alibaba"]\n',
        "channels.voice: expected each provider once",
    ),
    "a provider that nobody knows": (
        SETTINGS + '[channels]\nvoice = ["twilio"]\n',
        "channels.voice.0: expected a list of providers that are on",
    ),
    "a network that is none": (
        SETTINGS.replace("[operators]", 'allowed_networks = { tencent = ["x"] }\n[operators]'),
        "security.allowed_networks.tencent.0: expected networks per provider",
    ),
    "a time that is none": (
        SETTINGS + "[timing]\nreceipt_silence = { voice = -1 }\n",
        "timing.receipt_silence.voice: expected seconds, at most 3600",
    ),
    "no key of the cloud": (
        _without("access_key_id"),
        "providers.alibaba.access_key_id: missing",
    ),
    "a caller number missing for keys": (
        _without("show_numbers"),
        "providers.alibaba.voice.show_numbers: ",
    ),
    "a template with a field that calls do not have": (
        SETTINGS.replace('title = "title"', 'title = "link"'),
        "providers.alibaba.voice.templates.page.params.title: ",
    ),
    "a template without id": (
        SETTINGS.replace('id = "1001", ', ""),
        "providers.tencent.voice.templates.page.id: missing",
    ),
    "no TOML": (SETTINGS + "x =", "not TOML: Invalid value"),
}

PLANNED = {
    "[im.slack]": "im",
    "[watchdog]": "watchdog",
    "[retention]": "retention",
    "[channels]\nroutes = []": "channels.routes",
    "[timing]\nbundling_window = 15": "timing.bundling_window",
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD.keys())
def test_a_wrong_setting_is_one_line_that_names_the_key(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, text)
    line = str(caught.value)
    place, _, rest = line.partition(": ")
    assert place.startswith(str(tmp_path / "ringback.toml"))
    assert rest.startswith(said)
    assert "\n" not in line
    assert not [secret for secret in SECRETS if secret in line]


@pytest.mark.parametrize(("table", "key"), PLANNED.items())
def test_what_is_not_built_yet_is_refused_by_name(tmp_path: Path, table: str, key: str) -> None:
    with pytest.raises(SettingsError, match=rf": {re.escape(key)}: not available yet; leave it"):
        _load(tmp_path, f"{SETTINGS}\n{table}\n")


def test_the_line_of_a_wrong_setting_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ringback\.toml:6: security\.admin_token: "):
        _load(tmp_path, _with("admin_token", '"short"'))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "RINGBACK_SECURITY__ADMIN_TOKEN",
            "short",
            "RINGBACK_SECURITY__ADMIN_TOKEN: security.admin_token: expected the secret",
        ),
        (
            "RINGBACK_SECURITY__CALLBACK_TOKENS",
            "not-a-list-of-tokens",
            "RINGBACK_SECURITY__CALLBACK_TOKENS: security.callback_tokens: expected a list",
        ),
        ("RINGBACK_SERVER__PROT", "1", "RINGBACK_SERVER__PROT: server.prot: unknown; expected"),
        ("RINGBACK_SECURTY__X", "1", "RINGBACK_SECURTY__X: unknown; expected RINGBACK_ and one of"),
        ("RINGBACK_IM__SLACK", "{}", "RINGBACK_IM__SLACK: not available yet; leave it out"),
    ],
)
def test_a_wrong_variable_is_named_as_such(
    settings_file: Path, name: str, value: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(settings_file, {name: value})
    assert str(caught.value).startswith(said)
    assert value == "1" or value not in str(caught.value).replace(name, "")


def test_a_file_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml: no such file; `ringback init` writes"):
        load(tmp_path / "gone.toml", {})


@pytest.mark.parametrize(
    ("given", "environ", "path"),
    [
        ("a.toml", {"RINGBACK_CONFIG": "b.toml"}, "a.toml"),
        (None, {"RINGBACK_CONFIG": "b.toml"}, "b.toml"),
        (None, {}, "ringback.toml"),
    ],
)
def test_the_command_line_names_the_file_before_the_environment_does(
    given: str | None, environ: dict[str, str], path: str
) -> None:
    assert settings.path_of(given, environ) == Path(path)
