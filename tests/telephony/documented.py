"""What the carriers' documents say of each code, written down apart from the adapters.

Sources: Alibaba Cloud, API error codes 178344, carrier response error codes, client error codes;
Tencent Cloud, vms SDK 3.0.1459, common error codes, voice failure codes 37531.
"""

from typing import Literal, NamedTuple


class Refusal(NamedTuple):
    """A code of a submit. `placed` "maybe": the call may exist all the same."""

    code: str
    kind: str
    other_provider: bool = True
    placed: Literal["no", "maybe"] = "no"
    again: Literal["never", "later"] = "later"
    scope: str | None = None


class Failure(NamedTuple):
    """A code of a receipt that says why nobody was reached. `helps`: another provider, or none."""

    code: str
    kind: str
    helps: Literal["other", "none"]
    outcome: str
    again: Literal["never", "later"] = "later"
    scope: str | None = None


def _each(kind: str, codes: str, **more: str) -> list[Refusal]:
    return [Refusal(code, kind, **more) for code in codes.split()]  # pyright: ignore[reportArgumentType]


ALIBABA_COMMON = [
    *_each(
        "rate_limited",
        "Throttling Throttling.User Throttling.Api ThrottlingException",
        scope="account",
    ),
    *_each(
        "provider_down",
        "ServiceUnavailable InternalError isp.GATEWAY_ERROR isp.SYSTEM_ERROR isp.UNKNOWN",
        placed="maybe",
    ),
    *_each(
        "misconfigured",
        "InvalidAccessKeyId.NotFound SignatureDoesNotMatch IncompleteSignature "
        "InvalidTimeStamp.* Forbidden* isp.RAM_PERMISSION_DENY",
    ),
    *_each("unknown", "SignatureNonceUsed", placed="maybe"),
]
TENCENT_COMMON = [
    *_each(
        "misconfigured",
        "AuthFailure.* InvalidAction NoSuchVersion UnsupportedRegion MissingParameter* "
        "InvalidParameter* UnknownParameter IpNotInWhitelist",
    ),
    *_each("rate_limited", "RequestLimitExceeded*", scope="account"),
    *_each("provider_down", "InternalError ResourceUnavailable ServerNetworkError", placed="maybe"),
]
ALIBABA_VOICE = [
    *_each("rate_limited", "isv.BUSINESS_LIMIT_CONTROL", scope="number"),
    *_each("recipient_rejected", "isv.MOBILE_NUMBER_ILLEGAL", again="never"),
    *_each("recipient_rejected", "isv.COMPLAINT_REJECT ComplaintReject"),
    *_each(
        "misconfigured",
        "isv.DISPLAY_NUMBER_ILLEGAL isv.BILLID_NOT_EXIST BillidNotExist "
        "isv.TTS_TEMPLATE_ILLEGAL isv.TEMPLATE_ILLEGAL isv.VOICE_FILE_ILLEGAL "
        "isv.PRODUCT_UN_SUBSCRIPT isv.PRODUCT_UNSUBSCRIBE isv.ACCOUNT_NOT_EXISTS "
        "isv.MOBILE_COUNT_OVER_LIMIT isv.VOICE_ROBOT_CALLEE_LIMIT",
    ),
    *_each(
        "misconfigured",
        "isv.TEMPLATE_MISSING_PARAMETERS isv.TEMPLATE_PARAMS_ILLEGAL isv.PARAM_LENGTH_LIMIT "
        "isv.PARAM_NOT_SUPPORT_URL isv.BLACK_KEY_CONTROL_LIMIT isv.INVALID_PARAMETERS "
        "InvalidParameters isv.INVALID_JSON_PARAM",
        again="never",
    ),
    *_each(
        "out_of_credit",
        "isv.OUT_OF_SERVICE isv.AMOUNT_NOT_ENOUGH isv.AMOUNT_NOT_ENOUG isv.ACCOUNT_ABNORMAL",
    ),
    *_each(
        "rate_limited", "isv.VOICE_ROBOT_NOT_PERIOD isv.VOICE_CALL_PERIOD_ERROR", scope="account"
    ),
    *_each("transient", "isv.VOICE_CALL_FAIL", placed="maybe"),
]
TENCENT_VOICE = [
    *_each("rate_limited", "LimitExceeded.DeliveryFrequencyLimit", scope="number"),
    *_each("recipient_rejected", "InvalidParameterValue.CalledNumberVerifyFail", again="never"),
    *_each(
        "misconfigured",
        "FailedOperation.ContainSensitiveWord InvalidParameterValue.ContentLengthLimit",
        again="never",
    ),
    *_each(
        "misconfigured",
        "FailedOperation.TemplateIncorrectOrUnapproved "
        "FailedOperation.PhonenumberUnappliedOrExpired FailedOperation.InvalidParameters "
        "FailedOperation.InvalidJsonParameters FailedOperation.JsonParseFail "
        "FailedOperation.FailResolvePacket InvalidParameterValue.SdkAppidNotExist "
        "UnauthorizedOperation.SdkAppidIsDisabled UnauthorizedOperation.VoiceSdkAppidVerifyFail "
        "InternalError.RequestTimeException InternalError.RestApiInterfaceNotExist "
        "InternalError.SigVerificationFail UnsupportedOperation",
    ),
    *_each(
        "out_of_credit",
        "FailedOperation.InsufficientBalanceInVoicePackage "
        "UnauthorizedOperation.ServiceSuspendDueToArrears",
    ),
    *_each(
        "transient",
        "FailedOperation.AccessUpstreamTimeout InternalError.AccessUpstreamTimeout "
        "InternalError.SsoSendRecvFail",
        placed="maybe",
    ),
    *_each(
        "provider_down",
        "InternalError.UpstreamError FailedOperation.ParametersOtherError",
        placed="maybe",
    ),
]
# One code of each family that the documents give with a wildcard.
EXAMPLES = {
    "InvalidTimeStamp.*": "InvalidTimeStamp.Expired",
    "Forbidden*": "Forbidden.RAM",
    "AuthFailure.*": "AuthFailure.SignatureFailure",
    "MissingParameter*": "MissingParameter",
    "InvalidParameter*": "InvalidParameterValue.TemplateParamSet",
    "RequestLimitExceeded*": "RequestLimitExceeded.UinLimitExceeded",
}

ALIBABA_ANSWERED = {"200000": "completed", "200001": "hung_up", "200008": "no_key"}
ALIBABA_MOMENTS = {"200101", "200201", "200102", "300000", "200100"}
ALIBABA_RECEIPTS = [
    Failure("200002", "recipient_rejected", "none", "busy"),
    Failure("200003", "recipient_rejected", "none", "no_answer"),
    Failure("200004", "recipient_rejected", "none", "bad_number", again="never"),
    # Includes calls that the callee's network takes for spam: another carrier helps.
    Failure("200005", "recipient_rejected", "other", "unreachable"),
    Failure("200006", "misconfigured", "other", "not_sent"),
    Failure("200007", "recipient_rejected", "none", "out_of_coverage"),
    Failure("200010", "recipient_rejected", "none", "off"),
    Failure("200011", "recipient_rejected", "none", "suspended", again="never"),
    Failure("200012", "recipient_rejected", "other", "blocked"),
    Failure("200104", "misconfigured", "other", "blocked"),
    Failure("200105", "recipient_rejected", "other", "blocked"),
    Failure("200117", "misconfigured", "other", "not_sent"),
    Failure("200118", "rate_limited", "other", "limited", scope="account"),
    Failure("200119", "rate_limited", "other", "limited", scope="number"),
    Failure("200121", "rate_limited", "other", "limited", scope="account"),
    Failure("200130", "unknown", "none", "unreachable"),
    Failure("200111", "recipient_rejected", "none", "rejected"),
    Failure("200112", "recipient_rejected", "none", "busy"),
    Failure("200113", "recipient_rejected", "none", "no_answer"),
    Failure("200116", "recipient_rejected", "none", "bad_number", again="never"),
    Failure("200120", "recipient_rejected", "none", "out_of_coverage"),
    Failure("400", "transient", "other", "not_sent"),
    Failure("476", "misconfigured", "other", "not_sent"),
    Failure("482", "recipient_rejected", "none", "unreachable"),
    Failure("500", "provider_down", "other", "not_sent"),
    Failure("999999", "provider_down", "other", "not_sent"),
    Failure("9996", "unknown", "none", "not_sent"),
    Failure("408", "recipient_rejected", "none", "no_answer"),
    Failure("487", "recipient_rejected", "none", "no_answer"),
]
TENCENT_RESULTS = [
    Failure("1", "recipient_rejected", "none", "no_answer"),
    Failure("2", "unknown", "other", "unreachable"),
]
TENCENT_FAILURES = [
    Failure("1", "recipient_rejected", "none", "off"),
    Failure("2", "recipient_rejected", "none", "busy"),
    Failure("3", "recipient_rejected", "none", "out_of_coverage"),
    Failure("4", "recipient_rejected", "none", "suspended", again="never"),
    Failure("5", "recipient_rejected", "none", "no_answer"),
    Failure("6", "recipient_rejected", "none", "unreachable"),
    Failure("7", "recipient_rejected", "none", "suspended", again="never"),
    Failure("8", "recipient_rejected", "none", "bad_number", again="never"),
    Failure("9", "transient", "other", "not_sent"),
    Failure("10", "recipient_rejected", "none", "busy"),
    Failure("11", "unknown", "other", "unreachable"),
    Failure("12", "unknown", "other", "blocked"),
    Failure("13", "recipient_rejected", "none", "suspended", again="never"),
    Failure("15", "recipient_rejected", "none", "bad_number", again="never"),
    Failure("16", "recipient_rejected", "none", "unreachable"),
    Failure("17", "recipient_rejected", "none", "bad_number", again="never"),
    Failure("18", "transient", "other", "not_sent"),
    Failure("19", "recipient_rejected", "none", "unreachable"),
    Failure("20", "recipient_rejected", "none", "no_answer"),
]
