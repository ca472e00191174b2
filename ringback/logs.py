"""Logs: JSON lines, or colours on a terminal; numbers masked, and no text that an SDK wrote.

The text of a carrier SDK's exception holds the number and the message that was to be read out, and
so does what its loggers say. Of both only the names go into a log.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO, cast

import structlog
from pydantic_core import to_json
from structlog.typing import EventDict, Processor, WrappedLogger

_PHONE = re.compile(
    r"""(?<![\d.])
    (?: (\+\d{2}|(?:00)?86) (\d{3}) \d+ (\d{4})  # with a country code, E.164 or as in a query
      | ()                  (1[3-9]\d) \d{4} (\d{4})  # a mainland mobile number
      | ()                  (0\d{2}) \d{3,5} (\d{4})  # a mainland landline
    ) (?!\d)""",
    re.VERBOSE,
)
_LONG_NUMBER = re.compile(r"\d{10}")  # none of the above is shorter, and this is found faster
_SDK_LOGGERS = (
    "darabonba-core",
    "alibabacloud-tea",
    "credentials",
    "tencentcloud_sdk_common",
    "urllib3",
    "httpx2",
    "httpcore2",
)
_ROOT = Path(__file__).parent.parent


def mask(text: str) -> str:
    """Return the text with the middle of everything that looks like a phone number hidden."""
    return _PHONE.sub(_hidden, text) if _LONG_NUMBER.search(text) else text


def _hidden(found: re.Match[str]) -> str:
    country, head, tail = (part for part in found.groups() if part is not None)
    return f"{country}{head}****{tail}"


def configure(stream: TextIO | None = None) -> None:
    """Send all logs of this process to one stream, by default stderr. Safe to call again."""
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_exception_text,
        _masked,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer()
        if out.isatty()
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=stream is None,  # another stream may be followed by a third
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(lambda record: not _is_sdk(record.name) or _named_only(record))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _SDK_LOGGERS:
        logger = logging.getLogger(name)
        # A filter, because two SDKs set a level and a handler of their own when imported.
        logger.filters = [_named_only]
    logging.getLogger("uvicorn.access").disabled = True


def _json(event: EventDict, **_: object) -> str:
    """Return one line; by a faster encoder than the usual, since a key pressed makes five."""
    return to_json(event, fallback=repr).decode()


def silence() -> None:
    """Log nothing of ours: a command says itself what its user has to know."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        cache_logger_on_first_use=False,
    )


def _is_sdk(name: str) -> bool:
    return any(name == sdk or name.startswith(f"{sdk}.") for sdk in _SDK_LOGGERS)


def _named_only(record: logging.LogRecord) -> bool:
    """Log that a library warned, and where; keep what it said to itself."""
    if record.levelno >= logging.WARNING:
        structlog.get_logger().warning(
            "library.warned", library=record.name, at=f"{record.module}:{record.lineno}"
        )
    return False


def _masked(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {
        key: mask(value) if type(value) is str else _masked_value(value)
        for key, value in event.items()
    }


def _masked_value(value: Any) -> Any:  # noqa: ANN401 - log values are of any kind
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value)
        return {_masked_value(key): _masked_value(item) for key, item in items.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked_value(item) for item in cast("list[Any]", value)]
    if value is None or isinstance(value, bool | float | logging.LogRecord):
        return value
    shown = mask(str(value))
    return value if isinstance(value, int) and shown == str(value) else shown


def _without_exception_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace a traceback by the classes and places in it."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = cast("tuple[Any, BaseException | None, Any]", error)[1]
    if not isinstance(error, BaseException):
        return event
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    event["error"] = " < ".join(type(cause).__name__ for cause in causes)
    event["frames"] = [
        f"{_short(frame.filename)}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return event


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name
