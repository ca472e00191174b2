"""Tencent Cloud's front: whose request it is, whether it is signed, and which product's it is.

Voice is vms 2020-09-02, SMS is sms 2021-01-11; each real product has a host of its own. Errors are
HTTP 200 with an Error inside; the content type is exactly `application/json`, unless the settings
ask for the variant in which an SDK finds no error.
"""

import json
import re
import secrets
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from sandbox import tencent_sms, tencent_voice, wire
from sandbox.actions import Action
from sandbox.box import Box
from sandbox.faults import Fault
from sandbox.refusals import RefusedError
from sandbox.signatures import check_tc3
from sandbox.tencent_products import Product

_PRODUCTS = (tencent_voice.PRODUCT, tencent_sms.PRODUCT)
REGIONS = ("ap-beijing", "ap-guangzhou", "ap-nanjing")


async def serve(request: Request, box: Box) -> Response:
    """Answer one request of an SDK."""
    body = await request.body()
    query = request.scope["query_string"].decode()
    target = f"/?{query}" if query else "/"
    headers = dict(request.headers.items())
    action = headers.get("x-tc-action", "")
    settings = box.settings["tencent"]
    params: dict[str, Any] = {}
    try:
        product = _product(action, headers.get("authorization", ""))
        check_tc3(
            request.method,
            target,
            headers,
            body,
            service=product.service,
            keys={settings["secret_id"]: settings["secret_key"]},
            now=wire.real_now(),
        )
        _check_headers(product, headers)
        params = _params(product, request.method, query, body)
        _check_params(product, action, params)
    except RefusedError as exc:
        box.note_request("tencent", action, params, exc.code, None)
        return _error(box, exc.code, exc.message)
    return await _act(request, box, action, product.actions[action], params)


def _product(action: str, authorization: str) -> Product:
    """Return the product of this action, for an unknown one that for which it was signed."""
    for product in _PRODUCTS:
        if action in product.actions:
            return product
    scope = re.search(r"/([a-z]+)/tc3_request", authorization)
    return next((p for p in _PRODUCTS if scope and p.service == scope[1]), _PRODUCTS[0])


def _check_headers(product: Product, headers: dict[str, str]) -> None:
    if headers.get("x-tc-version") != product.version:
        raise RefusedError("NoSuchVersion", "The version does not exist.")
    if headers["x-tc-action"] not in product.actions:
        raise RefusedError("InvalidAction", "The action does not exist.")
    if headers.get("x-tc-region") not in REGIONS:
        raise RefusedError("UnsupportedRegion", "The product is not in this region.")


def _params(product: Product, method: str, query: str, body: bytes) -> dict[str, Any]:
    if method != "GET":
        try:
            found = json.loads(body)
        except ValueError as exc:
            raise RefusedError(product.not_json, "Not JSON.") from exc
        if not isinstance(found, dict):
            raise RefusedError(product.not_json, "No JSON object.")
        return cast("dict[str, Any]", found)
    params: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        key, _, index = name.partition(".")
        if index:
            params.setdefault(key, []).append(value)
        else:
            params[key] = int(value) if key == "PlayTimes" and value.isdecimal() else value
    return params


def _check_params(product: Product, action: str, params: dict[str, Any]) -> None:
    kinds = product.parameters[action]
    for name, value in params.items():
        if name not in kinds:
            raise RefusedError("UnknownParameter", f"{name} is not recognized.")
        if not isinstance(value, kinds[name]) or isinstance(value, bool):
            raise RefusedError("InvalidParameter", f"{name} is not of the right kind.")
    for name in product.required:
        if name in kinds and not params.get(name):
            raise RefusedError("MissingParameter", f"{name} is missing.")


async def _act(
    request: Request, box: Box, name: str, action: Action, params: dict[str, Any]
) -> Response:
    fault = None
    if action.empty is not None:
        fault = box.faults["tencent"].next_for(name, action.numbers(params))
        if fault is not None and not fault.places:
            box.note_request("tencent", name, params, f"fault: {fault.fault}", None)
            return await _broken(request, box, fault, action.empty)
    try:
        done = action.do(box, name, params)
    except RefusedError as exc:
        box.note_request("tencent", name, params, exc.code, None)
        return _error(box, exc.code, exc.message)
    box.note_request("tencent", name, params, done.verdict, done.id)
    await done.begin(at_once=box.settings["tencent"]["pushes"]["before_response"])
    good = _answer(box, done.body)
    if fault is None:
        return good
    broken = wire.answer({"message": "Internal Server Error"}, 500)
    return await wire.after_placing(request, fault, good, broken)


async def _broken(request: Request, box: Box, fault: Fault, empty: dict[str, Any]) -> Response:
    """Answer a request that does nothing, as the fault says."""
    match fault.fault:
        case "empty_success":
            return _answer(box, empty)
        case "throttle":
            return _error(box, "RequestLimitExceeded", "The request rate is too high.")
        case "server_error":
            return wire.answer({"message": "Internal Server Error"}, 500)
        case "error" if fault.http_status:
            return wire.answer({"message": fault.message}, fault.http_status)
        case "error":
            return _error(box, fault.code, fault.message or fault.code)
        case _:
            return await wire.unanswered(request, fault)


def _error(box: Box, code: str, message: str) -> Response:
    return _answer(box, {"Error": {"Code": code, "Message": message}})


def _answer(box: Box, body: dict[str, Any]) -> Response:
    variant = "; charset=utf-8" if box.settings["tencent"]["charset"] else ""
    return wire.answer(
        {"Response": {**body, "RequestId": secrets.token_hex(16)}},
        content_type=f"application/json{variant}",
    )
