"""Who may ask what and how: tokens, scopes, masking, addresses, methods, and bodies."""

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx2
import pytest
from pydantic import SecretStr

from tests.web.conftest import ADMIN, LI, READER, WRITER, Web
from tests.web.test_people import POLICY, RESPONDER, SCHEDULE
from tests.web.test_refusals import ALERTS
from web import app, inputs

NEW = {"title": "x", "policy": "default"}


class Operation(NamedTuple):
    """One operation with a request that it would take, and the scope that it needs."""

    method: str
    path: str
    body: Any
    scope: str


OPERATIONS = [
    Operation("GET", "/v1/incidents", None, "incidents:read"),
    Operation("POST", "/v1/incidents", NEW, "incidents:write"),
    Operation("GET", "/v1/incidents/1", None, "incidents:read"),
    Operation("POST", "/v1/incidents/1/acknowledge", {}, "incidents:write"),
    Operation("POST", "/v1/incidents/1/unacknowledge", {}, "incidents:write"),
    Operation("POST", "/v1/incidents/1/mute", {"minutes": 1}, "incidents:write"),
    Operation("POST", "/v1/incidents/1/unmute", {}, "incidents:write"),
    Operation("POST", "/v1/incidents/1/close", {}, "incidents:write"),
    Operation("POST", "/v1/incidents/1/escalate", {}, "incidents:write"),
    Operation("POST", "/v1/integrations/alertmanager/default", ALERTS, "incidents:write"),
    Operation("GET", "/v1/responders", None, "incidents:read"),
    Operation("GET", "/v1/responders/li.wei", None, "incidents:read"),
    Operation("PUT", "/v1/responders/new", RESPONDER, "admin"),
    Operation("DELETE", "/v1/responders/nobody", None, "admin"),
    Operation("POST", "/v1/responders/li.wei/test", {"channel": "voice"}, "admin"),
    Operation("POST", "/v1/responders/li.wei/verify", {"channel": "sms"}, "admin"),
    Operation(
        "POST",
        "/v1/responders/li.wei/verify/confirm",
        {"channel": "sms", "code": "000000"},
        "admin",
    ),
    Operation("GET", "/callers.vcf", None, "incidents:read"),
    Operation("GET", "/v1/policies", None, "incidents:read"),
    Operation("GET", "/v1/policies/default", None, "incidents:read"),
    Operation("PUT", "/v1/policies/new", POLICY, "admin"),
    Operation("DELETE", "/v1/policies/default", None, "admin"),
    Operation("GET", "/v1/schedules", None, "incidents:read"),
    Operation("GET", "/v1/schedules/payments", None, "incidents:read"),
    Operation("PUT", "/v1/schedules/new", SCHEDULE, "admin"),
    Operation("DELETE", "/v1/schedules/payments", None, "admin"),
    Operation("GET", "/v1/schedules/payments/on-call", None, "incidents:read"),
    Operation("GET", "/v1/why?incident=1&responder=li.wei", None, "incidents:read"),
    Operation("POST", "/v1/apply", {}, "admin"),
    Operation("GET", "/v1/attempts", None, "incidents:read"),
    Operation("GET", "/v1/attempts/1", None, "incidents:read"),
    Operation("GET", "/v1/providers", None, "incidents:read"),
]
HELD = {READER: {"incidents:read"}, WRITER: {"incidents:read", "incidents:write"}}


def problem(answer: httpx2.Response, status: int) -> Any:
    """Return the problem that was answered, after a look at its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["title"]
    return body


def test_every_operation_is_in_the_table_above() -> None:
    known = {(method, path) for path, methods in app._TABLE.items() for method in methods} - {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
    }
    assert len(OPERATIONS) == len(known)


def _name(value: object) -> str | None:
    return f"{value.method} {value.path}" if isinstance(value, Operation) else None


@pytest.mark.parametrize("asked", OPERATIONS, ids=_name)
@pytest.mark.parametrize("token", [None, f"{ADMIN}x"])
def test_without_a_known_token_every_operation_is_401(
    shared: Web, asked: Operation, token: str | None
) -> None:
    known = shared.everything()
    answer = shared.ask(asked.method, asked.path, asked.body, token=token)
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith('Bearer realm="ringback"')
    assert shared.everything() == known


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Bearer {ADMIN[:-1]}", f"Basic {ADMIN}", ADMIN, "Bearer \u00e9"],
)
def test_what_is_no_bearer_token_is_401(shared: Web, authorization: str) -> None:
    headers = {"Authorization": authorization.encode("latin-1")}
    problem(shared.ask("GET", "/v1/incidents", token=None, **headers), 401)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_the_word_bearer_is_read_in_any_case(shared: Web, kind: str) -> None:
    headers = {"Authorization": f"{kind}  {ADMIN}"}
    assert shared.ask("GET", "/v1/incidents", token=None, **headers).status_code == 200


@pytest.mark.parametrize(
    ("token", "asked"),
    [
        (token, operation)
        for token, scopes in HELD.items()
        for operation in OPERATIONS
        if operation.scope not in scopes
    ],
    ids=_name,
)
def test_a_token_without_the_scope_is_403_which_names_it(
    shared: Web, token: str, asked: Operation
) -> None:
    known = shared.everything()
    answer = shared.ask(asked.method, asked.path, asked.body, token=token)
    assert problem(answer, 403)["detail"] == f"this token lacks the scope {asked.scope}"
    assert f'scope="{asked.scope}"' in answer.headers["www-authenticate"]
    assert shared.everything() == known


@pytest.mark.parametrize(
    ("token", "asked"),
    [
        (token, operation)
        for token, scopes in HELD.items()
        for operation in OPERATIONS
        if operation.scope in scopes
    ],
    ids=_name,
)
def test_a_token_with_the_scope_is_let_through(web: Web, token: str, asked: Operation) -> None:
    web.opens()
    answer = web.ask(asked.method, asked.path, asked.body, token=token)
    assert answer.status_code in (200, 202, 404, 409)


def test_the_admin_token_of_the_settings_opens_everything_and_no_other_does(web: Web) -> None:
    """As `ringback serve` has it: one token, here one whose last byte looks like a blank."""
    token = "密钥-of-at-least-16-characters-à"
    routes = app.routes(web.paging, admin_token=SecretStr(token), clock=web.clock, links=web.links)
    web.client = web._client(app.application(routes))
    for given, status in [(token, 200), (ADMIN, 401), (token[:-1], 401)]:
        headers = {"Authorization": f"Bearer {given}".encode()}
        answer = web.run(web.client.get("/v1/responders", headers=headers))
        assert answer.status_code == status


@pytest.mark.parametrize("token", [READER, WRITER])
def test_numbers_and_addresses_are_masked_without_the_scope_admin(web: Web, token: str) -> None:
    web.ask("PUT", "/v1/responders/zhao.min", RESPONDER)
    opened = web.opens()
    attempt = web.rings(opened["id"])
    web.presses(attempt, "1")
    seen: dict[str, Any] = {}
    for path in (
        "/v1/incidents",
        f"/v1/incidents/{opened['id']}",
        "/v1/attempts",
        f"/v1/attempts/{attempt['id']}",
        "/v1/responders",
        "/v1/responders/zhao.min",
        "/v1/policies",
        "/v1/providers",
    ):
        seen[path] = web.get(path, token=token)
        text = json.dumps(seen[path], ensure_ascii=False)
        for whole in (LI, LI[3:], "zhao.min@example.com", "li.wei@example.com", "U0123456"):
            assert whole not in text, path
    assert seen["/v1/responders/zhao.min"]["phone"] == "+86137****0002"
    assert seen["/v1/responders/zhao.min"]["email"] == "z***@example.com"
    assert seen["/v1/responders/zhao.min"]["accounts"] == {"slack": "U***"}
    assert seen[f"/v1/attempts/{attempt['id']}"]["contact"]["address"] == "+86137****0000"
    assert seen[f"/v1/incidents/{opened['id']}"]["timeline"]
    whole = json.dumps([web.get(path) for path in seen])
    assert LI in whole
    assert "zhao.min@example.com" in whole


def test_what_an_action_answers_is_masked_as_well(web: Web) -> None:
    opened = web.opens()
    seen = web.post(f"/v1/incidents/{opened['id']}/escalate", token=WRITER)
    assert LI not in json.dumps(seen)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613700000000", "+86137****0000"),
        ("+85291234567", "+852****4567"),
        ("+86571000", "****00"),
    ],
)
def test_of_a_number_no_more_is_shown_than_tells_two_apart(
    web: Web, number: str, shown: str
) -> None:
    from web import masking

    assert masking.address(number) == shown


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/incidents/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("GET", "/v1/incidents/404"),
        ("GET", "/v1/incidents/%E5%91%8A"),
        ("GET", "/v1/incidents/%00"),
        ("POST", "/v1/incidents/404/acknowledge"),
        ("POST", "/v1/incidents/404/escalate"),
        ("GET", "/v1/attempts/404"),
        ("GET", "/v1/attempts?incident=404"),
        ("GET", "/v1/responders/no-such"),
        ("DELETE", "/v1/responders/no-such"),
        ("GET", "/v1/policies/no-such"),
        ("DELETE", "/v1/policies/no-such"),
    ],
)
def test_what_is_not_there_is_404_and_named(shared: Web, method: str, path: str) -> None:
    detail = problem(shared.ask(method, path), 404)["detail"]
    assert detail.startswith(("no incident", "no attempt", "no responder", "no policy"))


def test_a_drill_of_nobody_is_404(shared: Web) -> None:
    answer = shared.ask("POST", "/v1/responders/no-such/test", {"channel": "voice"})
    assert problem(answer, 404)["detail"] == "no responder 'no-such'"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/responders", RESPONDER), ("/v1/policies", POLICY)],
)
@pytest.mark.parametrize("id_", ["two%20words", "-x", "x" * 65, "%E6%9D%8E"])
def test_an_id_that_could_not_be_written_elsewhere_is_not_put(
    shared: Web, path: str, body: Any, id_: str
) -> None:
    (error,) = problem(shared.ask("PUT", f"{path}/{id_}", body), 422)["errors"]
    assert (error["field"], "1 to 64 of" in error["expected"]) == ("id", True)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v1/incidents/",
        "/v1/incidents/1/",
        "/v1/incidents/1/explode",
        "/v1/responders/",
        "/v1//incidents",
        "/V1/incidents",
        "/healthz/",
        "/callbacks/alibaba/voice/x",
        "/.env",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_is_404_and_never_a_redirect(
    shared: Web, method: str, path: str
) -> None:
    assert "detail" not in problem(shared.ask(method, path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/incidents", {"GET", "HEAD", "POST"}),
        ("DELETE", "/v1/incidents/1", {"GET", "HEAD"}),
        ("GET", "/v1/incidents/1/acknowledge", {"POST"}),
        ("GET", "/v1/integrations/alertmanager/default", {"POST"}),
        ("POST", "/v1/responders/li.wei", {"GET", "HEAD", "PUT", "DELETE"}),
        ("PATCH", "/v1/policies/ops", {"GET", "HEAD", "PUT", "DELETE"}),
        ("OPTIONS", "/v1/apply", {"POST"}),
        ("GET", "/v1/responders/li.wei/verify", {"POST"}),
        ("PUT", "/v1/responders/li.wei/verify/confirm", {"POST"}),
        ("POST", "/callers.vcf", {"GET", "HEAD"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
    ],
)
def test_an_unknown_method_is_405_and_names_the_known_ones(
    shared: Web, method: str, path: str, allowed: set[str]
) -> None:
    answer = shared.ask(method, path)
    problem(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "path",
    ["/v1/incidents", "/v1/responders/li.wei", "/callers.vcf", "/healthz", "/readyz"],
)
def test_head_is_answered_as_get_is(shared: Web, path: str) -> None:
    head, get = shared.ask("HEAD", path), shared.ask("GET", path)
    assert head.status_code == get.status_code == 200
    assert head.headers["content-type"] == get.headers["content-type"]


def test_alive_and_ready_are_told_without_a_token(shared: Web) -> None:
    live, ready = (shared.ask("GET", path, token=None) for path in ("/healthz", "/readyz"))
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"title=db-1",
        b"<xml/>",
        b"{'title': 'x'}",
        b'{"title": "x",}',
        b'{"title": "x", "policy": "default"} {}',
        b'{"title": NaN}',
        b'{"labels": {"a": Infinity}}',
        b"\xff\xfe{\x00}\x00",
        b'{"title": "\xd6\xd0"}',
        b'{"title": "\\ud800", "policy": "default"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"title": ' + b"9" * 5000 + b"}",
        b"\x00",
    ],
    ids=lambda body: repr(body[:24]),
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/incidents"),
        ("POST", "/v1/incidents/1/mute"),
        ("POST", "/v1/integrations/alertmanager/default"),
        ("PUT", "/v1/responders/new"),
        ("POST", "/v1/responders/li.wei/verify"),
        ("POST", "/v1/responders/li.wei/verify/confirm"),
        ("POST", "/v1/apply"),
    ],
)
def test_what_is_not_json_in_utf8_is_400_and_is_not_repeated_to_anybody(
    shared: Web, method: str, path: str, body: bytes
) -> None:
    known = shared.everything()
    detail = problem(shared.ask(method, path, body), 400)["detail"]
    assert detail.startswith("the body is not JSON in UTF-8: ")
    assert "title" not in detail
    assert shared.everything() == known


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"5", b"null", b"true", b"[{}]"])
def test_json_that_is_no_object_is_refused_by_name(shared: Web, body: bytes) -> None:
    (error,) = problem(shared.ask("POST", "/v1/incidents", body), 422)["errors"]
    assert error == {"field": "body", "expected": "expected a JSON object"}


def test_every_wrong_field_is_named_at_once(shared: Web) -> None:
    answer = shared.ask("POST", "/v1/incidents", {"title": " ", "severity": "bad", "x": 1})
    named = [error["field"] for error in problem(answer, 422)["errors"]]
    assert sorted(named) == ["policy", "severity", "title", "x"]


def test_no_body_at_all_misses_what_is_required(shared: Web) -> None:
    answer = shared.ask("POST", "/v1/incidents", b"")
    named = [error["field"] for error in problem(answer, 422)["errors"]]
    assert sorted(named) == ["policy", "title"]


def test_of_thousands_of_wrong_items_a_hundred_are_named(shared: Web) -> None:
    body = {"responders": {f"p{i}": {"name": 5} for i in range(5000)}}
    assert len(problem(shared.ask("POST", "/v1/apply", body), 422)["errors"]) == 100


def test_a_body_of_two_megabytes_is_taken_and_a_larger_one_is_413(web: Web) -> None:
    frame = len(json.dumps({**NEW, "details": ""}))
    whole = json.dumps({**NEW, "details": "x" * (inputs.LARGEST - frame)}).encode()
    assert len(whole) == inputs.LARGEST
    answer = web.ask("POST", "/v1/incidents", whole)
    assert answer.status_code == 202
    web.rings(answer.json()["id"])
    known = web.everything()
    problem(web.ask("POST", "/v1/incidents", whole + b" "), 413)
    assert web.everything() == known


def test_a_body_without_an_end_is_not_read_to_the_end(web: Web) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 65_536
            yield b" " * 65_536

    async def post() -> httpx2.Response:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        return await web.client.post("/v1/incidents", content=endless(), headers=headers)

    problem(web.run(post()), 413)
    assert read <= inputs.LARGEST + 2 * 65_536


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/incidents?status=open", "status"),
        ("/v1/incidents?severity=fatal", "severity"),
        ("/v1/incidents?limit=0", "limit"),
        ("/v1/incidents?limit=201", "limit"),
        ("/v1/incidents?limit=many", "limit"),
        ("/v1/incidents?cursor=x", "cursor"),
        ("/v1/incidents?cursor=-1", "cursor"),
        ("/v1/incidents?cursor=%D9%A1", "cursor"),  # a digit, but none of ours
        ("/v1/incidents?cursor=99999999999999999999", "cursor"),
        (f"/v1/incidents?cursor={'9' * 65}", "cursor"),
        ("/v1/incidents?page=2", "page"),
        ("/v1/attempts?incident=two%20words", "incident"),
        ("/v1/attempts?responder=two%20words", "responder"),
        ("/v1/attempts?limit=0", "limit"),
        ("/v1/attempts?cursor=%20", "cursor"),
        (f"/v1/attempts?cursor={'Z' * 65}", "cursor"),
        ("/v1/attempts?page=2", "page"),
    ],
)
def test_a_query_that_does_not_fit_is_named(shared: Web, path: str, field: str) -> None:
    (error,) = problem(shared.ask("GET", path), 422)["errors"]
    assert error["field"] == field
    assert error["expected"]


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 60])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/incidents/{}"),
        ("POST", "/v1/incidents/{}/acknowledge"),
        ("GET", "/v1/attempts?incident={}"),
    ],
)
def test_a_number_that_no_database_holds_is_404(
    web: Web, method: str, path: str, number: str
) -> None:
    answer = web.ask(method, path.format(number))
    web.logged.clear()  # the status says as much
    problem(answer, 404)
