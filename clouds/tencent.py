"""Tencent Cloud: keys, the SDK's client settings, and what its common errors mean.

Source of the codes: the common error codes of API 3.0, and the SDK's own list (3.1.195).
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field, SecretStr
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from clouds import faults
from clouds.probes import Proof, judge
from paging.errors import DeliveryError, Row
from paging.people import Strict

NAME = "tencent"

_DOWN = Row("provider_down", "not_sent", placed="maybe")
_WRONG = Row("misconfigured", "not_sent")

COMMON: dict[str, Row] = {
    "AuthFailure.*": _WRONG,
    "InvalidAction": _WRONG,
    "NoSuchVersion": _WRONG,
    "UnsupportedRegion": _WRONG,
    "MissingParameter*": _WRONG,
    "InvalidParameter*": _WRONG,
    "UnknownParameter": _WRONG,
    "IpNotInWhitelist": _WRONG,
    "RequestLimitExceeded*": Row("rate_limited", "limited", scope="account"),
    "InternalError": _DOWN,
    "ResourceUnavailable": _DOWN,
    "ServerNetworkError": _DOWN,
}


class TencentCredentials(Strict):
    """`[providers.tencent]`."""

    secret_id: str = Field(min_length=1, description="the SecretId of a sub-account")
    secret_key: SecretStr = Field(min_length=1, description="the SecretKey to it")
    region: str = Field("ap-guangzhou", min_length=1, description="a region, such as ap-guangzhou")


def credential(credentials: TencentCredentials) -> Credential:
    """Return the SDK's own form of the keys."""
    return Credential(credentials.secret_id, credentials.secret_key.get_secret_value())


def profile(endpoint: str, official: str) -> ClientProfile:
    """Return the client settings: time-outs set, and no retryer: it would place a second call."""
    protocol, host = faults.address(endpoint) or ("https", official)
    # The synchronous client hands the time-out to requests as it is: connect and read apart.
    timeout: Any = (faults.CONNECT_S, faults.READ_S)
    return ClientProfile(
        httpProfile=HttpProfile(protocol=protocol, endpoint=host, reqTimeout=timeout)
    )


def error_of(error: Exception, table: Mapping[str, Row]) -> DeliveryError:
    """Return our error for whatever the SDK raised; its text, which holds the number, stays behind.

    The SDK wraps every exception, its own and others', as a TencentCloudSDKException whose code is
    then the name of a Python class. Only a carrier's own error comes with the request's id, and
    ServerNetworkError is the SDK's word for any answer that is not HTTP 200.
    """
    sdk_error: Any = error
    if isinstance(error, TencentCloudSDKException):
        code = str(sdk_error.get_code())
        if sdk_error.get_request_id() or code == "ServerNetworkError":
            return DeliveryError(NAME, code, faults.row_of(NAME, code, table, COMMON))
    return faults.of_connection(NAME, error)


def probed(ask: Callable[[], Any], table: Mapping[str, Row], unusable: tuple[str, ...]) -> Proof:
    """Return what a refusal proves of the keys. `unusable`: how codes begin that are the account's.

    `ask`: sends a request that places nothing.
    """
    code = "OK"
    try:
        ask()
    except Exception as exc:  # noqa: BLE001 - whatever it is, its code says what to do
        code = error_of(exc, table).code
    return judge(
        code,
        refuses_keys=code.startswith("AuthFailure"),
        refuses_account=code.startswith(unusable),
        from_product=code.startswith(("InvalidParameter", "MissingParameter", "FailedOperation")),
        keys=(" SecretId 与 SecretKey", "SecretId and SecretKey"),
        account=(" sdk_app_id、授权与余额", "sdk_app_id, rights and balance"),
    )
