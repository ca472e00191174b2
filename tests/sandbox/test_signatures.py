"""The signature checks, on requests that the carriers' SDKs signed (recorded 2026-11-22)."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.signatures import SignatureError, check_acs3, check_rpc1, check_tc3

Recorded = dict[str, Any]
RECORDED: list[Recorded] = json.loads(
    (Path(__file__).parent / "data" / "signed_requests.json").read_text()
)
BY_SCHEME = {
    scheme: [one for one in RECORDED if one["scheme"] == scheme]
    for scheme in ("acs3", "rpc1", "tc3")
}


def check(one: Recorded, secret: str | None = None) -> str | None:
    """Check as the sandbox does; return the nonce where the scheme has one."""
    headers = {name.lower(): value for name, value in one["headers"]}
    keys = {one["key_id"]: one["secret"] if secret is None else secret}
    now, body = float(one["now"]), one["body"].encode()
    match one["scheme"]:
        case "acs3":
            return check_acs3(one["method"], one["target"], headers, body, keys=keys, now=now)
        case "rpc1":
            return check_rpc1(one["method"], one["target"], body, keys=keys, now=now)
        case _:
            service = one["service"]
            check_tc3(
                one["method"], one["target"], headers, body, service=service, keys=keys, now=now
            )
            return None


def refused(one: Recorded, **how: Any) -> str:
    """The code with which this is refused."""
    with pytest.raises(SignatureError) as caught:
        check(one, **how)
    return caught.value.code


def names(rows: list[Recorded]) -> list[str]:
    return [row["name"] for row in rows]


def set_header(one: Recorded, name: str, value: str | None) -> None:
    one["headers"] = [[n, v] for n, v in one["headers"] if n.lower() != name]
    if value is not None:
        one["headers"].append([name, value])


def header(one: Recorded, name: str) -> str:
    return next(value for n, value in one["headers"] if n.lower() == name)


@pytest.mark.parametrize("one", RECORDED, ids=names(RECORDED))
def test_what_the_sdk_signed_is_accepted(one: Recorded) -> None:
    nonce = check(one)
    assert nonce is None or len(nonce) == 32


def test_the_recorded_nonce_is_returned() -> None:
    for one in BY_SCHEME["acs3"]:
        assert check(one) == header(one, "x-acs-signature-nonce")


WRONG = {"acs3": "SignatureDoesNotMatch", "rpc1": "SignatureDoesNotMatch"}
WRONG["tc3"] = "AuthFailure.SignatureFailure"
UNKNOWN = {"acs3": "InvalidAccessKeyId.NotFound", "rpc1": "InvalidAccessKeyId.NotFound"}
UNKNOWN["tc3"] = "AuthFailure.SecretIdNotFound"
EXPIRED = {"acs3": "InvalidTimeStamp.Expired", "rpc1": "InvalidTimeStamp.Expired"}
EXPIRED["tc3"] = "AuthFailure.SignatureExpire"
WINDOW_S = {"acs3": 900, "rpc1": 900, "tc3": 300}


@pytest.mark.parametrize("one", RECORDED, ids=names(RECORDED))
class TestEveryScheme:
    """What no scheme lets pass."""

    def test_another_secret_is_refused(self, one: Recorded) -> None:
        assert refused(one, secret="another-secret") == WRONG[one["scheme"]]

    def test_an_unknown_key_is_refused(self, one: Recorded) -> None:
        assert refused({**one, "key_id": "LTAI-other"}) == UNKNOWN[one["scheme"]]

    def test_a_changed_body_is_refused(self, one: Recorded) -> None:
        assert refused({**one, "body": one["body"] + "&x=1"}) == WRONG[one["scheme"]]

    def test_another_method_is_refused(self, one: Recorded) -> None:
        other = "GET" if one["method"] == "POST" else "POST"
        assert refused({**one, "method": other}) == WRONG[one["scheme"]]

    @pytest.mark.parametrize("sign", [1, -1])
    def test_it_is_accepted_until_the_window_ends(self, one: Recorded, sign: int) -> None:
        window = WINDOW_S[one["scheme"]]
        check({**one, "now": one["now"] + sign * window})
        assert refused({**one, "now": one["now"] + sign * (window + 1)}) == EXPIRED[one["scheme"]]


# TC3 signs no query of a POST, which takes none.
SIGNS_QUERY = [one for one in RECORDED if (one["scheme"], one["method"]) != ("tc3", "POST")]


@pytest.mark.parametrize("one", SIGNS_QUERY, ids=names(SIGNS_QUERY))
def test_a_parameter_added_to_the_query_is_refused(one: Recorded) -> None:
    mark = "&" if "?" in one["target"] else "?"
    assert refused({**one, "target": f"{one['target']}{mark}x=1"}) == WRONG[one["scheme"]]


def test_a_changed_number_in_the_query_is_refused() -> None:
    for one in (*BY_SCHEME["acs3"][:2], BY_SCHEME["rpc1"][0], BY_SCHEME["tc3"][1]):
        changed = {**one, "target": one["target"].replace("13700000000", "13700000001")}
        assert changed["target"] != one["target"]
        assert refused(changed) == WRONG[one["scheme"]]


ACS3 = BY_SCHEME["acs3"][0]
SIGNED_BY_ACS3 = [
    "accept",
    "host",
    "user-agent",
    "x-acs-action",
    "x-acs-credentials-provider",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
]


@pytest.mark.parametrize("name", [*SIGNED_BY_ACS3, "x-acs-content-sha256"])
def test_acs3_refuses_a_changed_header(name: str) -> None:
    one = copy.deepcopy(ACS3)
    set_header(one, name, "2026-11-22T20:08:50Z" if name == "x-acs-date" else "other")
    assert refused(one) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "host",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-version",
    ],
)
def test_acs3_refuses_a_missing_header(name: str) -> None:
    one = copy.deepcopy(ACS3)
    set_header(one, name, None)
    assert refused(one) == "IncompleteSignature"


@pytest.mark.parametrize("name", ["host", "x-acs-date", "x-acs-signature-nonce", "x-acs-action"])
def test_acs3_refuses_an_unsigned_header(name: str) -> None:
    one = copy.deepcopy(ACS3)
    told = header(one, "authorization")
    set_header(one, "authorization", told.replace(f"{name};", ""))
    assert refused(one) == "IncompleteSignature"


def test_acs3_refuses_a_header_of_the_carrier_that_was_added_unsigned() -> None:
    one = copy.deepcopy(ACS3)
    set_header(one, "x-acs-security-token", "stolen")
    assert refused(one) == "IncompleteSignature"


@pytest.mark.parametrize("text", ["", "Bearer x", "ACS3-HMAC-SHA256 Credential=a,Signature=b"])
def test_acs3_refuses_an_authorization_of_another_form(text: str) -> None:
    one = copy.deepcopy(ACS3)
    set_header(one, "authorization", text)
    assert refused(one) == "IncompleteSignature"


RPC1 = BY_SCHEME["rpc1"][0]


@pytest.mark.parametrize(
    "name", ["AccessKeyId", "Signature", "SignatureMethod", "SignatureNonce", "Timestamp"]
)
def test_rpc1_refuses_a_missing_parameter(name: str) -> None:
    kept = [part for part in RPC1["target"][2:].split("&") if not part.startswith(f"{name}=")]
    assert refused({**RPC1, "target": f"/?{'&'.join(kept)}"}) == "IncompleteSignature"


@pytest.mark.parametrize("text", ["bad", "%E5%A5%BD", "d3MT3xNK6v8RwYIH2g%2FlfKi3qlo%3D%3D"])
def test_rpc1_refuses_another_signature(text: str) -> None:
    before, _, _ = RPC1["target"].rpartition("&Signature=")
    assert refused({**RPC1, "target": f"{before}&Signature={text}"}) == "SignatureDoesNotMatch"


def test_no_key_is_not_a_key_of_an_account_that_was_never_set_up() -> None:
    one = {**RPC1, "target": RPC1["target"].replace("AccessKeyId=LTAI-test-id", "AccessKeyId=")}
    assert refused({**one, "key_id": ""}, secret="") == "InvalidAccessKeyId.NotFound"


TC3 = BY_SCHEME["tc3"][0]
FAILURE = "AuthFailure.SignatureFailure"
TC3_CHANGES: list[tuple[str, Callable[[Recorded], None]]] = [
    ("another host", lambda one: set_header(one, "host", "127.0.0.1:1")),
    ("another content type", lambda one: set_header(one, "content-type", "text/plain")),
    ("another second", lambda one: set_header(one, "x-tc-timestamp", "1795378130")),
    ("another day", lambda one: set_header(one, "x-tc-timestamp", "1795464529")),
    ("no time", lambda one: set_header(one, "x-tc-timestamp", None)),
    ("a time that is no number", lambda one: set_header(one, "x-tc-timestamp", "now")),
    ("a time beyond all years", lambda one: set_header(one, "x-tc-timestamp", "9" * 30)),
    ("no host", lambda one: set_header(one, "host", None)),
    ("no content type", lambda one: set_header(one, "content-type", None)),
    ("no authorization", lambda one: set_header(one, "authorization", None)),
    ("another scheme", lambda one: set_header(one, "authorization", "Bearer x")),
    (
        "an unsigned host",
        lambda one: set_header(
            one,
            "authorization",
            header(one, "authorization").replace("content-type;host", "content-type"),
        ),
    ),
    ("another product", lambda one: one.update(service="sms")),
]


@pytest.mark.parametrize("change", [c for _, c in TC3_CHANGES], ids=[n for n, _ in TC3_CHANGES])
def test_tc3_refuses(change: Callable[[Recorded], None]) -> None:
    one = copy.deepcopy(TC3)
    change(one)
    assert refused(one) == FAILURE
