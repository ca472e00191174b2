"""Whatever is sent, the answer is one that was meant: never a 500, never a traceback."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.conftest import Web
from tests.web.test_refusals import REQUESTS, Request

MEANT = {200, 201, 202, 400, 404, 409, 422}
KEYS = sorted({key for request in REQUESTS.values() for key in request.body} | {"by", "note"})
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["voice", "personal", "responder:sam", "critical", "4", "firing", "\x00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def _bodies(draw: st.DrawFn, request: Request) -> Any:
    """A good body in which something is replaced, at any depth; or anything at all."""
    if draw(st.integers(0, 4)) == 0:
        return draw(ANYTHING)
    body: Any = json.loads(json.dumps(request.body))
    at = body
    while isinstance(at, dict | list) and at:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or draw(st.booleans()):
            at[key] = draw(ANYTHING)
            break
        at = at[key]
    return body


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_no_body_is_too_strange_for_an_answer(shared: Web, request_: Request) -> None:
    if not shared.get("/v1/incidents?limit=1")["items"]:
        shared.opens()

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_bodies(request_))
    def ask(body: Any) -> None:
        sent = json.dumps(body).encode()
        answer = shared.ask(request_.method, request_.path, sent)
        assert answer.status_code in MEANT, (answer.text, body)
        if not answer.is_success:
            assert answer.headers["content-type"] == "application/problem+json"

    ask()
