"""Errors name the line where a value was written."""

import tomllib
from typing import Any, cast

import pytest
import yaml

from ringback.lines import RepeatedKeyError, line_of, toml_lines, yaml_lines

TOML = '''\
title = "a # not a comment" # [not.a.header]
long = """
[not.a.table]
x = 1
"""
[responders.you] # a comment with ] and "
name = "You"
[responders."li.wei"]
name = 'Li [Wei]'

[policies.ops]
steps = [
    { targets = ["responder:you"], wait = 3 }, # one
    # two
    { targets = [
        "responder:you",
        "responder:li.wei",
    ] },
]

[[policies.default.steps]]
targets = ["responder:you"]
[[policies.default.steps]]
notify = "personal"
[policies.default.steps.more]
deep.er = 1
'''

TOML_LINES = {
    "title": 1,
    "long": 2,
    "responders": 6,
    "responders.you": 6,
    "responders.you.name": 7,
    "responders.li.wei": 8,
    "responders.li.wei.name": 9,
    "policies.ops": 11,
    "policies.ops.steps": 12,
    "policies.ops.steps.0.targets.0": 13,
    "policies.ops.steps.0.wait": 13,
    "policies.ops.steps.1": 15,
    "policies.ops.steps.1.targets.1": 17,
    "policies.default.steps.0.targets": 22,
    "policies.default.steps.1": 23,
    "policies.default.steps.1.notify": 24,
    "policies.default.steps.1.more.deep.er": 26,
}

YAML = """\
responders:
  you:
    name: You
policies:
  ops:
    steps:
      - targets: [responder:you]
        wait: 3
      - targets:
          - responder:you
          - responder:li.wei
"""


def _paths(value: object, path: str = "") -> set[str]:
    """Return the path of every key and item of a parsed document."""
    match value:
        case dict():
            pairs = cast("dict[str, Any]", value).items()
        case list():
            pairs = ((str(i), item) for i, item in enumerate(cast("list[Any]", value)))
        case _:
            return set()
    inner = [(f"{path}.{key}" if path else key, item) for key, item in pairs]
    return {key for key, _ in inner}.union(*(_paths(item, key) for key, item in inner))


@pytest.mark.parametrize(("path", "line"), TOML_LINES.items())
def test_a_toml_path_has_the_line_it_was_written_on(path: str, line: int) -> None:
    assert toml_lines(TOML)[path] == line


def test_every_path_of_a_toml_document_has_a_line_of_its_own() -> None:
    assert _paths(tomllib.loads(TOML)) == toml_lines(TOML).keys()


def test_every_path_of_a_yaml_document_has_its_line() -> None:
    lines = yaml_lines(YAML)
    assert _paths(yaml.safe_load(YAML)) == lines.keys()
    assert lines["policies.ops.steps.0.wait"] == 8
    assert lines["policies.ops.steps.1.targets.1"] == 11


def test_a_path_that_was_never_written_has_the_line_of_what_is_around_it() -> None:
    assert line_of(toml_lines(TOML), "policies.default.steps.1.targets.0") == 23
    assert line_of(toml_lines(TOML), "nothing.like.it") == 1


def test_a_yaml_key_written_twice_is_refused_with_its_line() -> None:
    with pytest.raises(RepeatedKeyError, match=r"responders\.you: written twice") as caught:
        yaml_lines("responders:\n  you: 1\n  you: 2\n")
    assert caught.value.line == 3
