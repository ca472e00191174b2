"""`ringback.toml` and the environment, read once at start-up.

Each adapter declares the model of its own table; this module composes them.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from clouds.alibaba import AlibabaCredentials
from clouds.templates import UNION_TAGS
from clouds.tencent import TencentCredentials
from email_sender.directmail import AlibabaEmailSettings
from email_sender.smtp import SmtpSettings
from paging import menu
from paging.errors import SettingsError
from paging.invalid import fields_at
from paging.menu import Action, Menu
from paging.people import CHANNELS_BUILT, Channel, Identifier, Strict
from ringback.lines import line_of, toml_lines
from sms.alibaba import AlibabaSmsSettings
from sms.tencent import TencentSmsSettings
from telephony.alibaba import AlibabaVoiceSettings
from telephony.tencent import TencentVoiceSettings

PREFIX = "RINGBACK_"
DEFAULT_PATH = Path("ringback.toml")

Provider = Literal["alibaba", "tencent", "smtp"]
Carrier = Literal["alibaba", "tencent"]  # those that call back

_PLANNED = re.compile(
    r"channels\.routes"
    r"|providers\.(smtp|(alibaba|tencent)\.(voice|sms|email))\.(limits|rate)"
    r"|security\.trusted_proxies"
    r"|timing\.bundling_window"
    r"|im|watchdog|retention"
)


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return value.rstrip("/")


def _sqlite(value: str) -> str:
    if value.startswith("postgres"):
        msg = "PostgreSQL is not available yet; expected sqlite:///FILE"
        raise ValueError(msg)
    if not value.startswith("sqlite:///") or value.removeprefix("sqlite:///") in ("", ":memory:"):
        raise ValueError
    return value


def _digit(value: str) -> str:
    if not re.fullmatch(r"[0-9*#]", value):
        msg = "expected one key of a phone: 0 to 9, * or #"
        raise ValueError(msg)
    return value


def _provider(value: str) -> str:
    if value not in get_args(Carrier):
        raise ValueError(f"expected one of: {', '.join(get_args(Carrier))}")
    return value


def _network(value: object) -> object:
    try:
        return ip_network(value) if isinstance(value, str) else value
    except ValueError as exc:
        raise ValueError from exc


MenuTable = dict[Annotated[str, AfterValidator(_digit)], Action]
ProviderName = Annotated[str, AfterValidator(_provider)]
IpNetwork = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Secret = Annotated[SecretStr, Field(min_length=16)]


class Server(Strict):
    """`[server]`."""

    host: str = Field(default="127.0.0.1", min_length=1, description="the address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="the port to listen on, 1 to 65535")
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        description="the address at which carriers reach this service, such as "
        "https://ringback.example.com"
    )


class Database(Strict):
    """`[database]`."""

    url: Annotated[str, AfterValidator(_sqlite)] = Field(
        default="sqlite:///ringback.db",
        description="sqlite:///FILE, such as sqlite:///ringback.db",
    )


class Security(Strict):
    """`[security]`."""

    secret_keys: tuple[Secret, ...] = Field(
        min_length=1, description="a list of secrets of at least 16 characters, newest first"
    )
    admin_token: Secret = Field(
        description="the secret by which callers of the API prove themselves, at least 16 "
        "characters"
    )
    callback_tokens: tuple[Annotated[SecretStr, Field(min_length=16)], ...] = Field(
        min_length=1,
        description="a list of secrets of at least 16 characters, newest first, of letters, "
        "digits, - and _",
    )
    allowed_networks: dict[ProviderName, tuple[IpNetwork, ...]] = Field(
        default_factory=dict[str, tuple[IpNetwork, ...]],
        description='networks per provider, such as { tencent = ["203.0.113.0/24"] }',
    )

    @model_validator(mode="after")
    def _in_an_address(self) -> "Security":
        for token in self.callback_tokens:
            if not re.fullmatch(r"[A-Za-z0-9_-]+", token.get_secret_value()):
                raise ValueError("callback_tokens: expected only letters, digits, - and _")
        return self


class Operators(Strict):
    """`[operators]`: who is paged when ringback itself cannot do its work."""

    policy: Identifier = Field(description='the id of a policy, or "none"')

    @property
    def policy_id(self) -> str | None:
        """Return the policy, or None where nobody is to be told."""
        return None if self.policy == "none" else self.policy


def _order(example: str) -> Any:  # noqa: ANN401 - pydantic's own word for a field
    description = f"a list of providers that are on, such as {example}"
    return Field(default=None, min_length=1, description=description)


class Channels(Strict):
    """`[channels]`: per channel the providers in the order in which they are tried."""

    voice: tuple[Carrier, ...] | None = _order('["alibaba", "tencent"]')
    sms: tuple[Carrier, ...] | None = _order('["alibaba", "tencent"]')
    email: tuple[Literal["alibaba", "smtp"], ...] | None = _order('["alibaba", "smtp"]')


class Alibaba(AlibabaCredentials):
    """`[providers.alibaba]`."""

    voice: AlibabaVoiceSettings | None = None
    sms: AlibabaSmsSettings | None = None
    email: AlibabaEmailSettings | None = None


class Tencent(TencentCredentials):
    """`[providers.tencent]`."""

    voice: TencentVoiceSettings | None = None
    sms: TencentSmsSettings | None = None


class Providers(Strict):
    """`[providers]`: one is on when its table is there."""

    alibaba: Alibaba | None = None
    tencent: Tencent | None = None
    smtp: SmtpSettings | None = None


Seconds = Annotated[float, Field(gt=0, le=3600, description="seconds, at most 3600")]


class ReceiptSilence(Strict):
    """How long nothing is heard about an attempt before it is given up."""

    voice: Seconds = 90
    sms: Seconds = 120


class AmbiguousWait(Strict):
    """How long an attempt that may have been placed is waited for, by how its answer was lost."""

    voice: Seconds = 45
    sms: Seconds = 5
    carrier_error: Seconds = 5


class Timing(Strict):
    """`[timing]`, in seconds."""

    receipt_silence: ReceiptSilence = ReceiptSilence()
    ambiguous_wait: AmbiguousWait = AmbiguousWait()
    breaker_open: Seconds = 60


class Network(Strict):
    """`[network]`."""

    allow_private: bool = Field(
        default=False, description="true where calendars are on private addresses, else false"
    )


class Settings(BaseSettings):
    """Everything that an installation decides. Made by `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    server: Server
    database: Database = Database()
    security: Security
    operators: Operators
    menu: MenuTable = Field(
        default_factory=lambda: dict(menu.DEFAULT),
        description="keys with what they do: acknowledge, escalate, mute or close",
    )
    channels: Channels = Channels()
    providers: Providers = Providers()
    timing: Timing = Timing()
    network: Network = Network()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load` merged and nothing else."""
        return (init_settings,)

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if self.menu.get("1") != "acknowledge":
            raise ValueError('menu.1: expected "acknowledge": 1 always does')
        for channel in CHANNELS_BUILT:
            self._check_order(channel)
        return self

    def _check_order(self, channel: Channel) -> None:
        asked: tuple[Provider, ...] = getattr(self.channels, channel) or ()
        for name in asked:
            if name not in self.on(channel):
                tables = (
                    "[providers.smtp]"
                    if name == "smtp"
                    else f"[providers.{name}] and [providers.{name}.{channel}]"
                )
                raise ValueError(f"channels.{channel}: {name!r} is not on; expected {tables}")
        if len(set(asked)) != len(asked):
            raise ValueError(f"channels.{channel}: expected each provider once")

    def on(self, channel: Channel) -> tuple[Provider, ...]:
        """Return the providers of a channel that have a table."""
        found: list[Provider] = []
        for name in get_args(Carrier):
            table = getattr(self.providers, name)
            if table is not None and getattr(table, channel, None) is not None:
                found.append(name)
        if channel == "email" and self.providers.smtp is not None:
            found.append("smtp")
        return tuple(found)

    def order(self, channel: Channel) -> tuple[Provider, ...]:
        """Return the providers of a channel in failover order."""
        return getattr(self.channels, channel) or self.on(channel)


class _Environment(EnvSettingsSource):
    """The environment that was handed over, not the process's own."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environ.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ANN401
        """Read lists and tables as JSON; what is not is left for the model to refuse by name."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def path_of(given: str | None, environ: Mapping[str, str]) -> Path:
    """Return where the settings are: as told, by RINGBACK_CONFIG, or ./ringback.toml."""
    return Path(given or environ.get("RINGBACK_CONFIG") or DEFAULT_PATH)


def local_url(settings: Settings) -> str:
    """Return where the service answers on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.server.host, settings.server.host)  # noqa: S104
    return f"http://{host}:{settings.server.port}"


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings. Raises SettingsError: one line, the key and what it should hold."""
    _refuse_unknown(environ)
    told = _Environment(environ)()
    text = _read(path, may_be_absent=bool(told) and path == DEFAULT_PATH)
    written = _parsed(path, text)
    try:
        return Settings.model_validate(_merged(written, told))
    except ValidationError as exc:
        key, expected = _problem(exc)
        place = _environment_name(key, environ) or f"{path}:{line_of(toml_lines(text), key)}"
        raise SettingsError(f"{place}: {key}: {expected}") from None  # its input may be a secret


@dataclass(frozen=True, slots=True)
class Draft:
    """What the texts to be approved depend on. `has_number`: a caller number was bought."""

    menu: Menu
    has_number: bool


def draft(path: Path, environ: Mapping[str, str]) -> Draft:
    """Return this much of settings that cannot be loaded yet, for want of those very texts.

    Raises SettingsError for a menu that is wrong.
    """
    written = _merged(
        _parsed(path, _read(path, may_be_absent=path == DEFAULT_PATH)), _Environment(environ)()
    )
    try:
        keys = TypeAdapter(MenuTable).validate_python(written.get("menu", menu.DEFAULT))
    except ValidationError as exc:
        expected = Settings.model_fields["menu"].description
        raise SettingsError(f"{path}: menu: expected {expected}") from exc
    match written:
        case {"providers": {"alibaba": {"voice": {**voice}}}}:
            return Draft(keys, has_number=bool(voice.get("show_numbers")))  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]
        case _:
            return Draft(keys, has_number=True)


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"{path}: not TOML: {exc}") from exc


def _read(path: Path, *, may_be_absent: bool) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as exc:
        if may_be_absent:
            return ""
        raise SettingsError(
            f"{path}: no such file; `ringback init` writes one, --config names another"
        ) from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path}: cannot be read ({type(exc).__name__})") from exc


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, `above` winning key by key."""
    both = dict(below)
    for key, value in above.items():
        known = both.get(key)
        both[key] = (
            _merged(cast("dict[str, Any]", known), cast("dict[str, Any]", value))
            if isinstance(known, dict) and isinstance(value, dict)
            else value
        )
    return both


def _problem(error: ValidationError) -> tuple[str, str]:
    """Return the key that is wrong and what it should hold; never what it holds."""
    # A misspelt key is also a missing one: the unknown name is the better hint.
    found = sorted(
        error.errors(include_url=False, include_input=False, include_context=False),
        key=lambda item: item["type"] != "extra_forbidden",
    )
    lines = list(dict.fromkeys(_line(item) for item in found))
    key, expected = lines[0]
    more = len({key for key, _ in lines}) - 1
    return key, f"{expected} (and {more} more wrong)" if more else expected


def _line(item: ErrorDetails) -> tuple[str, str]:
    loc = _written(item["loc"])
    key = ".".join(loc)
    said = item["msg"].removeprefix("Value error, ") if item["type"] == "value_error" else ""
    inner = re.match(r"([A-Za-z0-9_.-]+): (.+)", said, re.DOTALL)
    if inner:  # a rule about several keys names the one to change
        return (f"{key}.{inner[1]}" if key else inner[1]), inner[2]
    if item["type"] == "extra_forbidden":
        if _PLANNED.fullmatch(key):
            return key, "not available yet; leave it out"
        return key, f"unknown; expected one of: {', '.join(fields_at(Settings, loc[:-1]))}"
    if item["type"] == "missing" and (inside := fields_at(Settings, loc)):
        needed = ", ".join(name for name, field in inside.items() if field.is_required())
        return key, f"missing; expected the table [{key}] with {needed}"
    described = _description(loc)
    expected = said or (f"expected {described}" if described else item["msg"])
    if item["type"] == "missing":
        return key, f"missing; {expected}" if described else "missing"
    return key, expected


def _written(loc: Sequence[int | str]) -> list[str]:
    """Return the keys as written, without pydantic's names for the members of a union."""
    parts = [str(part) for part in loc]
    return [
        part
        for before, part in zip(["", *parts], parts, strict=False)
        if not re.match(r"[A-Z]|\w+\[|\[key\]", part) and part not in UNION_TAGS.get(before, ())
    ]


def _description(loc: Sequence[str]) -> str | None:
    """Return what the nearest described key around this place should hold."""
    for end in range(len(loc), 0, -1):
        field = fields_at(Settings, loc[: end - 1]).get(loc[end - 1])
        if field is not None and field.description:
            return field.description
    return None


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    for name in environ:
        section, nested, _ = name.upper().removeprefix(PREFIX).partition("__")
        if not name.upper().startswith(PREFIX) or not nested:
            continue
        if _PLANNED.fullmatch(section.lower()):
            raise SettingsError(f"{name}: not available yet; leave it out")
        if section.lower() not in Settings.model_fields:
            known = ", ".join(field.upper() for field in Settings.model_fields)
            raise SettingsError(f"{name}: unknown; expected {PREFIX} and one of: {known}")


def _environment_name(key: str, environ: Mapping[str, str]) -> str | None:
    """Return the variable that gave this key, or something around it."""
    names = {name.upper(): name for name in environ}
    parts = key.upper().split(".")
    for end in range(len(parts), 0, -1):
        if found := names.get(PREFIX + "__".join(parts[:end])):
            return found
    return None
