"""Where a cloud is reached, and which row a code has."""

import pytest

from clouds.faults import UNLISTED, address, check_endpoint, row_of
from paging.errors import Row

EXACT, PREFIX, COMMON = Row("misconfigured", "a"), Row("rate_limited", "b"), Row("transient", "c")
PRODUCT_TABLE = {"Limit.Number": EXACT, "Limit.*": PREFIX}
COMMON_TABLE = {"Limit.Number": COMMON, "Limit.Account": COMMON, "Throttling*": COMMON}


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("Limit.Number", EXACT),
        ("Limit.Account", COMMON),
        ("Limit.Hour", PREFIX),
        ("Throttling", COMMON),
        ("Throttling.User", COMMON),
        ("Limit", UNLISTED),
        ("limit.Number", UNLISTED),
        ("", UNLISTED),
    ],
)
def test_an_exact_code_goes_before_a_family_and_the_product_before_the_cloud(
    code: str, row: Row
) -> None:
    assert row_of("borealis", code, PRODUCT_TABLE, COMMON_TABLE) == row


@pytest.mark.parametrize(
    ("endpoint", "where"),
    [
        ("", None),
        ("http://127.0.0.1:9100", ("http", "127.0.0.1:9100")),
        ("http://127.0.0.1:9100/", ("http", "127.0.0.1:9100")),
        ("https://voice.example.com", ("https", "voice.example.com")),
        ("http://[::1]:9100", ("http", "[::1]:9100")),
    ],
)
def test_an_endpoint_says_where(endpoint: str, where: tuple[str, str] | None) -> None:
    assert address(check_endpoint(endpoint)) == where


@pytest.mark.parametrize(
    "endpoint",
    [
        "127.0.0.1:9100",
        "localhost",
        "ftp://127.0.0.1",
        "http://",
        "http://:9100",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:port",
        "http://[::1",
        "http://127.0.0.1/v1",
        "http://127.0.0.1?a=1",
        "http://127.0.0.1#a",
        "http://key:secret@127.0.0.1",
    ],
)
def test_an_endpoint_that_is_no_plain_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"expected .* an address such as") as caught:
        check_endpoint(endpoint)
    assert "secret" not in str(caught.value)
