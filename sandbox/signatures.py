"""The carriers' request signatures, checked as they would check them.

ACS3-HMAC-SHA256 and RPC V1 (HMAC-SHA1): Alibaba Cloud, "Request structure and signature".
TC3-HMAC-SHA256: Tencent Cloud API 3.0, "Signature v3". Written from those documents.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from sandbox.refusals import RefusedError

ALIBABA_WINDOW_S = 15 * 60
TENCENT_WINDOW_S = 5 * 60
_ACS3_HEADERS = {
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
}
_RPC1_PARAMETERS = ("AccessKeyId", "Signature", "SignatureMethod", "SignatureNonce", "Timestamp")


class SignatureError(RefusedError):
    """A request that the carrier refuses. `code` is the carrier's own."""


def _encode(text: str) -> str:
    return quote(text, safe="~")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def check_acs3(  # noqa: PLR0913 - a request and what to check it against
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    keys: Mapping[str, str],
    now: float,
) -> str:
    """Return the nonce of a rightly signed request. `headers`: names in lower case."""
    found = re.fullmatch(
        r"ACS3-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})",
        headers.get("authorization", ""),
    )
    if not found:
        raise SignatureError("IncompleteSignature", "The Authorization header is incomplete.")
    key_id, signed, signature = found.groups()
    secret = _secret(key_id, keys)
    names = signed.split(";")
    if missing := _ACS3_HEADERS - headers.keys():
        raise SignatureError("IncompleteSignature", f"{', '.join(sorted(missing))} is missing.")
    sent = {name for name in headers if name in ("host", "content-type") or name[:6] == "x-acs-"}
    if unsigned := sent - set(names):
        raise SignatureError("IncompleteSignature", f"{', '.join(sorted(unsigned))} is unsigned.")
    if headers["x-acs-content-sha256"] != _sha256(body):
        raise SignatureError("SignatureDoesNotMatch", "x-acs-content-sha256 is not of this body.")
    path, query = urlsplit(target).path, urlsplit(target).query
    canonical_query = "&".join(f"{_encode(k)}={_encode(v)}" for k, v in sorted(_pairs(query)))
    canonical = "\n".join(
        [
            method,
            path or "/",
            canonical_query,
            "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in names),
            signed,
            headers["x-acs-content-sha256"],
        ]
    )
    to_sign = f"ACS3-HMAC-SHA256\n{_sha256(canonical.encode())}"
    expected = hmac.digest(secret.encode(), to_sign.encode(), "sha256").hex()
    if not hmac.compare_digest(expected, signature):
        raise SignatureError(
            "SignatureDoesNotMatch", "The signature does not match what we calculated."
        )
    _check_alibaba_time(headers["x-acs-date"], now)
    return headers["x-acs-signature-nonce"]


def check_rpc1(
    method: str, target: str, body: bytes, *, keys: Mapping[str, str], now: float
) -> str:
    """Return the nonce of a rightly signed request of the older scheme."""
    params = dict(_pairs(urlsplit(target).query) + _pairs(body.decode("utf-8", "replace")))
    for required in _RPC1_PARAMETERS:
        if required not in params:
            raise SignatureError("IncompleteSignature", f"{required} is missing.")
    signature = params.pop("Signature")
    secret = _secret(params["AccessKeyId"], keys)
    canonical = "&".join(f"{_encode(k)}={_encode(v)}" for k, v in sorted(params.items()))
    to_sign = f"{method}&{_encode('/')}&{_encode(canonical)}"
    digest = hmac.digest(f"{secret}&".encode(), to_sign.encode(), "sha1")
    if not hmac.compare_digest(base64.b64encode(digest), signature.encode()):
        raise SignatureError(
            "SignatureDoesNotMatch", "The signature does not match what we calculated."
        )
    _check_alibaba_time(params["Timestamp"], now)
    return params["SignatureNonce"]


def _secret(key_id: str, keys: Mapping[str, str]) -> str:
    if not key_id or key_id not in keys:
        raise SignatureError("InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    return keys[key_id]


def _check_alibaba_time(text: str, now: float) -> None:
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError as exc:
        raise SignatureError("InvalidTimeStamp.Format", "The time stamp has a bad format.") from exc
    if abs(at - now) > ALIBABA_WINDOW_S:
        raise SignatureError("InvalidTimeStamp.Expired", "The time stamp is expired.")


def check_tc3(  # noqa: PLR0913 - a request and what to check it against
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    service: str,
    keys: Mapping[str, str],
    now: float,
) -> None:
    """Return for a request rightly signed for this service. `headers`: names in lower case."""
    found = re.fullmatch(
        rf"TC3-HMAC-SHA256 Credential=([^/]+)/([0-9-]{{10}})/{service}/tc3_request,\s*"
        r"SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})",
        headers.get("authorization", ""),
    )
    stamp = headers.get("x-tc-timestamp", "")
    if not found or not re.fullmatch(r"[0-9]{1,11}", stamp):
        raise SignatureError("AuthFailure.SignatureFailure", "The signature is incomplete.")
    key_id, date, signed, signature = found.groups()
    if key_id not in keys:
        raise SignatureError("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    names = signed.split(";")
    if not {"content-type", "host"} <= set(names):
        raise SignatureError("AuthFailure.SignatureFailure", "content-type or host is unsigned.")
    if date != datetime.fromtimestamp(int(stamp), UTC).strftime("%Y-%m-%d"):
        raise SignatureError("AuthFailure.SignatureFailure", "The date is not the time stamp's.")
    canonical = "\n".join(
        [
            method,
            "/",
            urlsplit(target).query if method == "GET" else "",
            "".join(f"{name}:{headers.get(name, '').strip().lower()}\n" for name in names),
            signed,
            _sha256(body),
        ]
    )
    scope = f"{date}/{service}/tc3_request"
    to_sign = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{_sha256(canonical.encode())}"
    key = f"TC3{keys[key_id]}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.digest(key, to_sign.encode(), "sha256").hex()
    if not hmac.compare_digest(expected, signature):
        raise SignatureError(
            "AuthFailure.SignatureFailure", "The provided credentials could not be validated."
        )
    if abs(int(stamp) - now) > TENCENT_WINDOW_S:
        raise SignatureError("AuthFailure.SignatureExpire", "The signature is expired.")
