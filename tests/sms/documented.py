"""What the carriers' documents say of each code, written down apart from the adapters.

Sources: Alibaba Cloud, error codes of domestic messages; Tencent Cloud, sms SDK 3.1.153.
"""

from tests.telephony.documented import Refusal


def _each(kind: str, codes: str, **more: str) -> list[Refusal]:
    return [Refusal(code, kind, **more) for code in codes.split()]  # pyright: ignore[reportArgumentType]


ALIBABA_SMS = [
    *_each("rate_limited", "isv.BUSINESS_LIMIT_CONTROL", scope="number"),
    *_each("rate_limited", "isv.DAY_LIMIT_CONTROL isv.MONTH_LIMIT_CONTROL", scope="account"),
    *_each("recipient_rejected", "isv.MOBILE_NUMBER_ILLEGAL", again="never"),
    *_each(
        "misconfigured",
        "isv.SMS_SIGNATURE_ILLEGAL isv.SMS_SIGN_ILLEGAL isv.SIGN_STATE_ILLEGAL "
        "isv.SMS_SIGNATURE_SCENE_ILLEGAL isv.SMS_TEMPLATE_ILLEGAL isv.EXTEND_CODE_ERROR "
        "isv.DOMESTIC_NUMBER_NOT_SUPPORTED isv.DENY_IP_RANGE isv.PRODUCT_UN_SUBSCRIPT "
        "isv.PRODUCT_UNSUBSCRIBE isv.ACCOUNT_NOT_EXISTS isv.MOBILE_COUNT_OVER_LIMIT",
    ),
    *_each(
        "misconfigured",
        "isv.SMS_CONTENT_ILLEGAL isv.TEMPLATE_MISSING_PARAMETERS isv.TEMPLATE_PARAMS_ILLEGAL "
        "isv.PARAM_LENGTH_LIMIT isv.PARAM_NOT_SUPPORT_URL isv.BLACK_KEY_CONTROL_LIMIT "
        "isv.INVALID_PARAMETERS isv.INVALID_JSON_PARAM",
        again="never",
    ),
    *_each("out_of_credit", "isv.OUT_OF_SERVICE isv.AMOUNT_NOT_ENOUGH isv.ACCOUNT_ABNORMAL"),
]
TENCENT_SMS = [
    *_each(
        "rate_limited",
        "LimitExceeded.PhoneNumberThirtySecondLimit LimitExceeded.PhoneNumberOneHourLimit "
        "LimitExceeded.PhoneNumberDailyLimit LimitExceeded.PhoneNumberSameContentDailyLimit "
        "LimitExceeded.DeliveryFrequencyLimit",
        scope="number",
    ),
    *_each(
        "rate_limited",
        "LimitExceeded.AppDailyLimit LimitExceeded.AppMainlandChinaDailyLimit "
        "LimitExceeded.DailyLimit LimitExceeded.AppGlobalDailyLimit "
        "LimitExceeded.GlobalSmsSendingRateLimit",
        scope="account",
    ),
    *_each(
        "recipient_rejected",
        "InvalidParameterValue.IncorrectPhoneNumber FailedOperation.PhoneNumberParseFail",
        again="never",
    ),
    *_each("recipient_rejected", "FailedOperation.PhoneNumberInBlacklist"),
    *_each(
        "misconfigured",
        "FailedOperation.ContainSensitiveWord InvalidParameter.DirtyWordFound "
        "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter "
        "InvalidParameterValue.TemplateParameterLengthLimit "
        "InvalidParameterValue.TemplateParameterFormatError "
        "InvalidParameterValue.ContentLengthLimit",
        again="never",
    ),
    *_each(
        "misconfigured",
        "FailedOperation.SignatureIncorrectOrUnapproved "
        "FailedOperation.TemplateIncorrectOrUnapproved "
        "FailedOperation.TemplateUnapprovedOrNotExist "
        "FailedOperation.TemplateParamSetNotMatchApprovedTemplate "
        "FailedOperation.FailResolvePacket FailedOperation.JsonParseFail UnauthorizedOperation.* "
        "UnsupportedOperation* LimitExceeded.PhoneNumberCountLimit "
        "InternalError.JsonParseFail "
        "InternalError.RequestTimeException InternalError.RestApiInterfaceNotExist "
        "InternalError.SigFieldMissing InternalError.SigVerificationFail",
    ),
    *_each(
        "out_of_credit",
        "FailedOperation.InsufficientBalanceInSmsPackage "
        "UnauthorizedOperation.ServiceSuspendDueToArrears",
    ),
    *_each(
        "transient",
        "InternalError.Timeout InternalError.SendAndRecvFail InternalError.OtherError "
        "InternalError.UnknownError InternalError.ParseBackendResponseFail",
        placed="maybe",
    ),
]
# One code of each family that the documents give with a wildcard.
EXAMPLES = {
    "UnauthorizedOperation.*": "UnauthorizedOperation.SmsSdkAppIdVerifyFail",
    "UnsupportedOperation*": ("UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber"),
}
