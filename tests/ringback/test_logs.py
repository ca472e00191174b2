"""Logs hold no phone number and nothing that an SDK wrote."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from ringback import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Return what is logged; the process's own logging comes back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    written = io.StringIO()
    logs.configure(written)
    yield written
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the events logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+8613700000000", "+86137****0000"),
        ("13700000000", "137****0000"),
        ("to 8613700000000.", "to 86137****0000."),
        ("?CalledNumber=13700000000&x=1", "?CalledNumber=137****0000&x=1"),
        ("%2B8613700000000", "%2B86137****0000"),
        ("008613700000000", "0086137****0000"),
        ("05710000000", "057****0000"),
        ("+85291234567", "+85291****4567"),
        ("116000000001^102000000001", "116000000001^102000000001"),  # a carrier's call id
        ("2026-11-24T16:00:00Z", "2026-11-24T16:00:00Z"),
        ("1795341600", "1795341600"),  # seconds since 1970
        ("1795341600000", "1795341600000"),
        ("10.0.3.17:9100", "10.0.3.17:9100"),
    ],
)
def test_whatever_looks_like_a_phone_number_is_masked(text: str, masked: str) -> None:
    assert logs.mask(text) == masked


def test_numbers_are_masked_at_any_depth_and_in_any_key(stream: io.StringIO) -> None:
    structlog.get_logger().info(
        "call.placed", to=["+8613700000000"], by={"13700000000": 13700000000}, took_ms=212
    )
    assert "0000000" not in stream.getvalue()
    assert lines(stream)[0]["took_ms"] == 212


def test_an_exception_leaves_its_class_and_place_but_not_its_text(stream: io.StringIO) -> None:
    try:
        int("SECRET 13700000000")
    except ValueError:
        structlog.get_logger().exception("call.broken")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert "SECRET" not in stream.getvalue()
    for event in lines(stream):
        assert event["error"] == "ValueError"
        assert event["frames"][0].startswith("tests/ringback/test_logs.py:")


@pytest.mark.parametrize(
    "name", ["tencentcloud_sdk_common", "urllib3.connectionpool", "httpcore2.http11"]
)
def test_of_an_sdks_warning_only_its_name_and_place_are_kept(
    stream: io.StringIO, name: str
) -> None:
    logging.getLogger(name).info("SECRET")
    logging.getLogger(name).warning("SECRET")
    assert [(event["event"], event["library"]) for event in lines(stream)] == [
        ("library.warned", name)
    ]
    assert "SECRET" not in stream.getvalue()


def test_an_sdk_that_brings_a_handler_of_its_own_prints_nothing(stream: io.StringIO) -> None:
    """As darabonba-core does when it is imported, with its level set to DEBUG."""
    logger, own = logging.getLogger("darabonba-core"), io.StringIO()
    handler, level = logging.StreamHandler(own), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        logger.debug("SECRET")
        logger.error("SECRET")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert own.getvalue() == ""
    assert [event["library"] for event in lines(stream)] == ["darabonba-core"]


def test_the_access_log_is_off(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").warning("GET /callbacks/alibaba/voice/TOKEN")
    assert stream.getvalue() == ""


def test_what_a_task_is_about_is_in_each_of_its_lines(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(attempt="A1", provider="tencent"):
        structlog.get_logger().info("call.placed")
    assert (lines(stream)[0]["attempt"], lines(stream)[0]["provider"]) == ("A1", "tencent")
