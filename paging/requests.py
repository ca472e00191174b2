"""What other systems post: an incident of their own, or a group of Alertmanager's alerts."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from paging.errors import InvalidError
from paging.people import CHANNELS_BUILT, Channel, Identifier, Severity, Strict

DETAILS_KEPT = 65_536
_CUT = "\n… (cut)"


def _not_blank(value: str) -> str:
    if not value.strip():
        msg = "expected a title that is not blank"
        raise ValueError(msg)
    return value.strip()


def _cut(value: str) -> str:
    """Keep what fits and show that it was cut: a long body never erases a page."""
    return value if len(value) <= DETAILS_KEPT else value[: DETAILS_KEPT - len(_CUT)] + _CUT


def _link(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        msg = "expected an http or https address"
        raise ValueError(msg)
    return value


Labels = Annotated[dict[str, Annotated[str, Field(max_length=4096)]], Field(max_length=64)]


class NewIncident(Strict):
    """`POST /v1/incidents`. Critical unless it says otherwise: what comes to a pager must ring."""

    title: Annotated[str, Field(max_length=16_384), AfterValidator(_not_blank)]
    policy: Identifier
    details: Annotated[str, AfterValidator(_cut)] | None = None
    severity: Severity = "critical"
    dedup_key: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    labels: Labels = Field(default_factory=dict)
    link: Annotated[str, Field(max_length=2048), AfterValidator(_link)] | None = None


def _to_microseconds(value: object) -> object:
    """Alertmanager writes nanoseconds; what is below a microsecond tells no two alerts apart."""
    if isinstance(value, str) and "." in value:
        whole, _, rest = value.partition(".")
        digits = len(rest) - len(rest.lstrip("0123456789"))
        return f"{whole}.{rest[:digits][:6]}{rest[digits:]}"
    return value


class Alert(BaseModel):
    """One alert of a group; keys that a later Alertmanager adds are let through."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: Annotated[AwareDatetime, BeforeValidator(_to_microseconds)] = Field(alias="startsAt")
    ends_at: Annotated[AwareDatetime | None, BeforeValidator(_to_microseconds)] = Field(
        None, alias="endsAt"
    )
    fingerprint: str = Field(min_length=1, max_length=64)


class AlertGroup(BaseModel):
    """Alertmanager's webhook, version 4 (prometheus.io/docs/alerting/latest/configuration)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    version: Literal["4"]
    group_key: str = Field(alias="groupKey", min_length=1, max_length=4096)
    status: Literal["firing", "resolved"]
    alerts: tuple[Alert, ...] = Field(min_length=1)
    group_labels: dict[str, str] = Field(default_factory=dict, alias="groupLabels")
    common_labels: dict[str, str] = Field(default_factory=dict, alias="commonLabels")
    common_annotations: dict[str, str] = Field(default_factory=dict, alias="commonAnnotations")
    external_url: str = Field("", alias="externalURL")
    truncated_alerts: int = Field(0, alias="truncatedAlerts", ge=0, le=1_000_000)


def channel_of(asked: str) -> Channel:
    """Return the channel of this name. Raises InvalidError."""
    for channel in CHANNELS_BUILT:
        if channel == asked:
            return channel
    raise InvalidError("channel", f"expected one of: {', '.join(CHANNELS_BUILT)}")
