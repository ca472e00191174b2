"""Alibaba Cloud's front: whose request it is, whether it is signed, and which product's it is.

Voice (dyvmsapi) and SMS (dysmsapi) share the version 2017-05-25, DirectMail (dm) has 2015-11-23;
each real product has a host of its own. Refusals of voice and SMS come as HTTP 200 with a Code, or
as HTTP 400/500 where the settings say so: the documents have both. Mail has HTTP errors only.
"""

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from sandbox import alibaba_mail, alibaba_sms, alibaba_voice, wire
from sandbox.actions import Action
from sandbox.box import Box
from sandbox.faults import Fault
from sandbox.refusals import RefusedError
from sandbox.signatures import SignatureError, check_acs3, check_rpc1

_VERSIONS: dict[str, dict[str, Action]] = {
    "2017-05-25": {**alibaba_voice.ACTIONS, **alibaba_sms.ACTIONS},
    "2015-11-23": alibaba_mail.ACTIONS,
}
_SERVER_CODES = ("isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "InternalError", "InternalServiceError")


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request whose signature is right."""

    request: Request
    box: Box
    version: str
    action: str
    params: dict[str, str]

    def note(self, verdict: str, made: str | None = None) -> None:
        self.box.note_request("alibaba", self.action, self.params, verdict, made)

    def refusal(self, code: str, message: str) -> Response:
        """Answer a business refusal in the form of the product, or that the settings ask for."""
        if (
            self.action in alibaba_mail.ACTIONS
            or self.box.settings["alibaba"]["error_http_status"] != 200  # noqa: PLR2004
        ):
            return _error(self.request, code, message, _status(code))
        return wire.answer({"RequestId": _request_id(), "Code": code, "Message": message})

    def error(self, code: str, message: str, status: int) -> Response:
        return _error(self.request, code, message, status)


async def serve(request: Request, box: Box) -> Response:
    """Answer one request of an SDK."""
    body = await request.body()
    target = request.scope["raw_path"].decode()
    if query := request.scope["query_string"].decode():
        target = f"{target}?{query}"
    headers = {name: value for name, value in request.headers.items()}  # noqa: C416 - lower case
    params = dict(parse_qsl(query, keep_blank_values=True))
    params |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    asked = _Asked(
        request,
        box,
        version=headers.get("x-acs-version") or params.get("Version", ""),
        action=headers.get("x-acs-action") or params.get("Action", ""),
        params={k: v for k, v in params.items() if k not in ("Signature", "AccessKeyId")},
    )
    settings = box.settings["alibaba"]
    keys = {settings["access_key_id"]: settings["access_key_secret"]}
    try:
        if "authorization" in headers:
            nonce = check_acs3(
                request.method, target, headers, body, keys=keys, now=wire.real_now()
            )
        else:
            nonce = check_rpc1(request.method, target, body, keys=keys, now=wire.real_now())
        _check_nonce(box, nonce)
    except SignatureError as exc:
        asked.note(exc.code)
        status = 404 if exc.code == "InvalidAccessKeyId.NotFound" else 400
        return asked.error(exc.code, exc.message, status)
    actions = _VERSIONS.get(asked.version)
    if actions is None:
        asked.note("InvalidVersion")
        return asked.error("InvalidVersion", "Specified parameter Version is not valid.", 400)
    if asked.action not in actions:
        asked.note("InvalidAction.NotFound")
        return asked.error("InvalidAction.NotFound", "Specified api is not found.", 404)
    return await _act(asked, actions[asked.action])


def _check_nonce(box: Box, nonce: str) -> None:
    if not box.is_new_nonce(nonce):
        raise SignatureError("SignatureNonceUsed", "The nonce was used before.")


async def _act(asked: _Asked, action: Action) -> Response:
    box, fault = asked.box, None
    if action.empty is not None:
        numbers = action.numbers(asked.params)
        fault = box.faults["alibaba"].next_for(asked.action, numbers)
        if fault is not None and not fault.places:
            asked.note(f"fault: {fault.fault}")
            return await _broken(asked, fault, action.empty)
    try:
        done = action.do(box, asked.action, asked.params)
    except RefusedError as exc:
        asked.note(exc.code)
        return asked.refusal(exc.code, exc.message)
    asked.note(done.verdict, done.id)
    await done.begin(at_once=box.settings["alibaba"]["pushes"]["before_response"])
    good = wire.answer({"RequestId": _request_id(), **done.body})
    if fault is None:
        return good
    broken = asked.error("InternalError", "The request has failed.", 500)
    return await wire.after_placing(asked.request, fault, good, broken)


async def _broken(asked: _Asked, fault: Fault, empty: dict[str, Any]) -> Response:
    """Answer a request that does nothing, as the fault says."""
    match fault.fault:
        case "empty_success":
            return wire.answer({"RequestId": _request_id(), **empty})
        case "throttle":
            response = asked.error("Throttling.User", "Request was denied due to throttling.", 400)
            response.headers["x-acs-retry-after"] = str(fault.retry_after_ms)
            return response
        case "server_error":
            return asked.error("InternalError", "The request has failed.", 500)
        case "error" if fault.http_status:
            return asked.error(fault.code, fault.message or fault.code, fault.http_status)
        case "error":
            return asked.refusal(fault.code, fault.message or fault.code)
        case _:
            return await wire.unanswered(asked.request, fault)


def _error(request: Request, code: str, message: str, status: int) -> Response:
    return wire.answer(
        {
            "RequestId": _request_id(),
            "HostId": request.headers.get("host", ""),
            "Code": code,
            "Message": message,
            "Recommend": "https://example.com/",
        },
        status,
    )


def _status(code: str) -> int:
    if code in _SERVER_CODES:
        return 500
    return 404 if code.endswith(".NotFound") else 400


def _request_id() -> str:
    return secrets.token_hex(16).upper()
