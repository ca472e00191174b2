"""Alibaba Cloud: keys, the SDK's client settings, and what its common errors mean.

Source of the codes: the client error codes of several products (read 2026-11-22).
"""

import re
from collections.abc import Mapping
from typing import Any

from alibabacloud_tea_openapi.exceptions import ThrottlingException
from alibabacloud_tea_openapi.models import Config
from pydantic import Field, SecretStr

from clouds import faults
from paging.errors import DeliveryError, Row
from paging.people import Strict

NAME = "alibaba"

_DOWN = Row("provider_down", "not_sent", placed="maybe")
_WRONG = Row("misconfigured", "not_sent")
_THROTTLED = Row("rate_limited", "limited", scope="account")

COMMON: dict[str, Row] = {
    "Throttling": _THROTTLED,
    "Throttling.User": _THROTTLED,
    "Throttling.Api": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "ServiceUnavailable": _DOWN,
    "InternalError": _DOWN,
    "isp.GATEWAY_ERROR": _DOWN,
    "isp.SYSTEM_ERROR": _DOWN,
    "isp.UNKNOWN": _DOWN,
    "InvalidAccessKeyId.NotFound": _WRONG,
    "SignatureDoesNotMatch": _WRONG,
    "IncompleteSignature": _WRONG,
    "InvalidTimeStamp.*": _WRONG,
    "Forbidden*": _WRONG,
    "isp.RAM_PERMISSION_DENY": _WRONG,
    # An earlier copy of this request got through: never a reason to send it again here.
    "SignatureNonceUsed": Row("unknown", "not_sent", placed="maybe"),
}
KEYS_WRONG = re.compile(
    r"InvalidAccessKeyId|SignatureDoesNotMatch|IncompleteSignature|InvalidTimeStamp|Forbidden"
    r"|isp\.RAM_PERMISSION_DENY"
)


class AlibabaCredentials(Strict):
    """`[providers.alibaba]`."""

    access_key_id: str = Field(min_length=1, description="the AccessKey ID of a RAM user")
    access_key_secret: SecretStr = Field(min_length=1, description="the AccessKey secret to it")
    region: str = Field("cn-hangzhou", min_length=1, description="a region, such as cn-hangzhou")


def config(credentials: AlibabaCredentials, endpoint: str, official: str) -> Config:
    """Return the client settings: time-outs set, connections reused, no retry of the SDK's."""
    protocol, host = faults.address(endpoint) or ("https", official)
    return Config(
        access_key_id=credentials.access_key_id,
        access_key_secret=credentials.access_key_secret.get_secret_value(),
        region_id=credentials.region,
        endpoint=host,
        protocol=protocol,
        connect_timeout=int(faults.CONNECT_S * 1000),
        read_timeout=int(faults.READ_S * 1000),
    )


def refused(code: str, table: Mapping[str, Row]) -> DeliveryError:
    """Return our error for a code of the carrier's, whether it came as HTTP 200, 4xx or 5xx."""
    return DeliveryError(NAME, code, faults.row_of(NAME, code, table, COMMON))


def error_of(error: Exception, table: Mapping[str, Row]) -> DeliveryError:
    """Return our error for whatever the SDK raised; its text, which holds the number, stays behind.

    ClientException, ServerException and ThrottlingException carry the carrier's `code`; anything
    else is a fault of the connection or an answer that was no JSON.
    """
    code: Any = getattr(error, "code", None)
    status: Any = getattr(error, "status_code", None)
    if not isinstance(code, str) or status is None:
        return faults.of_connection(NAME, error)
    if isinstance(error, ThrottlingException) and code not in table:
        return DeliveryError(NAME, code, COMMON["ThrottlingException"])
    # The SDK writes "None" where a body of JSON, a gateway's perhaps, names no code.
    return refused(f"http_{status}" if code == "None" else code, table)
