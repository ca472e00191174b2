"""Requests signed as the carriers' documents say, with no SDK and no code of the sandbox.

Alibaba Cloud: V3 request body and signature method (ACS3-HMAC-SHA256); V2 request and signature
(RPC, HMAC-SHA1). Tencent Cloud: API 3.0, signature method v3 (TC3-HMAC-SHA256).
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

ALIBABA_KEYS = ("LTAI-test-id", "test-secret-of-alibaba")
TENCENT_KEYS = ("AKIDtest", "test-secret-of-tencent")


@dataclass(frozen=True)
class Signed:
    """A request as it goes over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def changed(self, **headers: str | None) -> "Signed":
        """The same with other headers (None: without), signed as before."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name not in names}
        added = {name: value for name, value in names.items() if value is not None}
        return replace(self, headers=kept | added)

    def raw(self) -> bytes:
        """Every byte of it, HTTP/1.1."""
        head = [f"{self.method} {self.target} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        head.append(f"content-length: {len(self.body)}")
        return "\r\n".join([*head, "", ""]).encode() + self.body


def _sorted_query(params: Mapping[str, str]) -> str:
    return "&".join(f"{quote(k, '')}={quote(params[k], '')}" for k in sorted(params))


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def acs3(
    host: str,
    action: str,
    params: Mapping[str, str],
    *,
    keys: tuple[str, str] = ALIBABA_KEYS,
    at: float | None = None,
    nonce: str | None = None,
    version: str = "2017-05-25",
    in_body: bool = False,
) -> Signed:
    """A request to Alibaba Cloud as its SDK makes them: all in the query, or in a form's body."""
    query = "" if in_body else _sorted_query(params)
    body = urlencode(params).encode() if in_body else b""
    body_hash = hashlib.sha256(body).hexdigest()
    headers = {"content-type": "application/x-www-form-urlencoded"} if in_body else {}
    headers |= {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": body_hash,
        "x-acs-date": _iso(time.time() if at is None else at),
        "x-acs-signature-nonce": nonce or uuid.uuid4().hex,
        "x-acs-version": version,
    }
    signed_headers = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"POST\n/\n{query}\n{lines}\n{signed_headers}\n{body_hash}"
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(keys[1].encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={keys[0]},SignedHeaders={signed_headers},"
        f"Signature={signature}"
    )
    return Signed("POST", f"/?{query}" if query else "/", headers, body)


def rpc1(
    host: str,
    action: str,
    params: Mapping[str, str],
    *,
    keys: tuple[str, str] = ALIBABA_KEYS,
    at: float | None = None,
    nonce: str | None = None,
    version: str = "2017-05-25",
) -> Signed:
    """A request of the older scheme: everything in the query, signed with HMAC-SHA1."""
    everything = {
        **params,
        "Action": action,
        "Version": version,
        "Format": "JSON",
        "AccessKeyId": keys[0],
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": nonce or uuid.uuid4().hex,
        "Timestamp": _iso(time.time() if at is None else at),
    }
    text = f"POST&%2F&{quote(_sorted_query(everything), '')}"
    digest = hmac.new(f"{keys[1]}&".encode(), text.encode(), hashlib.sha1).digest()
    everything["Signature"] = base64.b64encode(digest).decode()
    return Signed("POST", f"/?{urlencode(everything)}", {"host": host}, b"")


def tc3(
    host: str,
    action: str,
    params: Any,
    *,
    keys: tuple[str, str] = TENCENT_KEYS,
    at: float | None = None,
    version: str = "2020-09-02",
    region: str | None = "ap-guangzhou",
    service: str = "vms",
    date: str | None = None,
) -> Signed:
    """A request to Tencent Cloud. `params`: of the JSON body, or the body itself as bytes."""
    body = params if isinstance(params, bytes) else json.dumps(params).encode()
    stamp = str(int(time.time() if at is None else at))
    date = date or time.strftime("%Y-%m-%d", time.gmtime(int(stamp)))
    canonical = (
        f"POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n"
        f"{hashlib.sha256(body).hexdigest()}"
    )
    scope = f"{date}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{keys[1]}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers = {
        "host": host,
        "content-type": "application/json",
        "x-tc-action": action,
        "x-tc-version": version,
        "x-tc-timestamp": stamp,
        "authorization": (
            f"TC3-HMAC-SHA256 Credential={keys[0]}/{scope}, SignedHeaders=content-type;host, "
            f"Signature={signature}"
        ),
    }
    if region is not None:
        headers["x-tc-region"] = region
    return Signed("POST", "/", headers, body)
