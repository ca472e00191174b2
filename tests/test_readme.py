"""What the README promises is there: commands, targets, addresses, settings and their defaults."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ringback import cli
from ringback.settings import Settings
from web import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
SPANS = re.findall(r"`([^`\n]+)`", README)


def table(header: str) -> list[list[str]]:
    """The rows of the table that has this header."""
    lines = README[README.index(header) :].splitlines()[2:]
    rows = [line for line in lines[: lines.index("")] if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def said(command: str) -> list[str]:
    """Every use of a command, in blocks and in sentences."""
    lines = [line.strip().removeprefix(".venv/bin/") for line in BLOCKS.splitlines()] + SPANS
    return [line for line in lines if line.split()[:1] == [command]]


@pytest.mark.parametrize(
    "line", sorted({line for line in said("ringback") if line.split()[1:]}), ids=str
)
def test_every_command_is_one(line: str) -> None:
    """As the parser takes it: the right words, options and number of arguments."""
    words = line.split()[1:]
    if len(words) == 1:  # a sentence about the command as such
        words = [*words, "--help"]
    try:
        cli._parser().parse_args(words)
    except SystemExit as exc:
        if exc.code:
            pytest.fail(line)


def test_every_make_target_is_one() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    used = {line.split()[1] for line in said("make") if len(line.split()) > 1}
    assert {"demo", "test"} <= used
    assert used <= targets


def test_every_address_of_the_api_is_in_its_table_and_no_other() -> None:
    shown: set[tuple[str, str]] = set()
    for call, does in table("| call | does |"):
        parts = re.findall(r"`([^`]+)`", call)
        methods = [word for part in parts for word in part.split() if word.isupper()]
        paths = [word for part in parts for word in part.split() if word.startswith("/")]
        actions = re.findall(r"`([a-z]+)`", does) if paths[0].endswith("/acknowledge") else []
        paths += [paths[0].replace("acknowledge", action) for action in actions]
        shown |= {(method, path) for method in methods for path in paths}
        if "without an id" in does:
            shown |= {("GET", path.removesuffix("/{id}")) for path in paths}
    known = {(method, path) for path, methods in app._TABLE.items() for method in methods}
    assert shown == known


def leaves(fields: dict[str, FieldInfo], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting, by its dotted name."""
    for name, field in fields.items():
        inner = model_in(field.annotation)
        if inner is not None and name != "templates":
            yield from leaves(inner.model_fields, f"{above}{name}.")
        else:
            yield above + (field.alias or name), field


def model_in(annotation: object) -> type[BaseModel] | None:
    """The model in a type such as `Alibaba | None`."""
    parts = getattr(annotation, "__args__", (annotation,))
    models = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
    return models[0] if models else None


def test_every_setting_is_in_its_table_with_its_default() -> None:
    shown = {row[0].strip("`"): row[1] for row in table("| setting | default | |")}
    known = dict(leaves(Settings.model_fields))
    assert shown.keys() == known.keys()
    for name, field in known.items():
        if field.is_required():
            assert shown[name] == "required", name
        elif field.default not in (None, PydanticUndefined, (), "") and "templates" not in name:
            as_toml = (
                str(field.default).lower() if isinstance(field.default, bool) else field.default
            )
            assert shown[name] == f"`{as_toml}`", name
