"""Alibaba Cloud: keys, the SDK's client settings, and what its common errors mean.

Source of the codes: the client error codes of several products (read 2026-11-22).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from alibabacloud_tea_openapi.exceptions import ThrottlingException
from alibabacloud_tea_openapi.models import Config
from pydantic import Field, SecretStr

from clouds import faults
from clouds.probes import Proof, judge
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
KEYS = (" AccessKey 与授权", "AccessKey and rights")  # where to look when they are refused


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


def probed(ask: Callable[[], Any], table: Mapping[str, Row], account: tuple[str, str]) -> Proof:
    """Return what the code of an answer proves of the keys. `account`: where else to look.

    `ask`: sends a request that places nothing, and returns the answer's body.
    """
    try:
        code = str(ask().code)
    except Exception as exc:  # noqa: BLE001 - whatever it is, its code says what to do
        code = error_of(exc, table).code
    unusable = code.startswith("isv.PRODUCT_") or code == "isv.ACCOUNT_NOT_EXISTS"
    no_credit = code in table and table[code].kind == "out_of_credit"
    return judge(
        code,
        refuses_keys=KEYS_WRONG.match(code) is not None,
        refuses_account=no_credit or (unusable and code in table),
        from_product=code == "OK" or code in table or code.startswith("isv."),
        keys=KEYS,
        account=account,
    )
