"""Team files: responders, schedules and policies as code, in TOML or YAML."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import TypeAdapter, ValidationError

from paging.errors import SettingsError
from paging.invalid import problems
from paging.people import Identifier, Policy, Responder
from paging.schedules import Schedule
from ringback.lines import RepeatedKeyError, line_of, toml_lines, yaml_lines
from ringback.reports import told

Json = dict[str, Any]
MODELS: dict[str, type[Responder] | type[Schedule] | type[Policy]] = {
    "responders": Responder,
    "schedules": Schedule,
    "policies": Policy,
}
_PLANNED = ("bots", "webhooks")
_ID = TypeAdapter[str](Identifier)


@dataclass(slots=True)
class Team:
    """What the files say, by section and id, and where they say it.

    `sections`: those that some file has, if only an empty one.
    """

    items: dict[str, Json] = field(default_factory=lambda: {name: {} for name in MODELS})
    files: dict[str, "_File"] = field(default_factory=dict[str, "_File"])
    sections: list[str] = field(default_factory=list[str])

    def place(self, path: str) -> str:
        """Return FILE:LINE of a field such as `policies.ops.steps.0`, or "" when none holds it."""
        for item, file in self.files.items():
            if path == item or path.startswith(f"{item}."):
                return f"{file.name}:{line_of(file.lines, path)}"
        return ""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    lines: Mapping[str, int]


class _Loader(yaml.SafeLoader):
    """YAML 1.2 where 1.1 surprises: `on` is a word, and 18:30 is no number."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in found
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:int")
    ]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(true|false)\Z"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]*)\Z"), list("-+0123456789")
)


def read(paths: Sequence[Path]) -> Team:
    """Return what the files say. Raises SettingsError with every fault, one a line: FILE:LINE."""
    team, faults = Team(), list[str]()
    for path in paths:
        said, file = _read(path)
        for key, expected in _gather(team, said, file):
            said_of = f"{key}: " if key else ""
            faults.append(f"{file.name}:{line_of(file.lines, key)}: {said_of}{expected}")
    if not faults:
        faults = [f"{team.place(key)}: {key}: {expected}" for key, expected in _validate(team)]
    if faults:
        raise SettingsError("\n".join(faults))
    return team


def _read(path: Path) -> tuple[object, _File]:
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".toml":
            return tomllib.loads(text), _File(str(path), toml_lines(text))
        if path.suffix in (".yaml", ".yml"):
            lines = yaml_lines(text)
            return yaml.load(text, _Loader) or {}, _File(str(path), lines)  # noqa: S506 - a safe one
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"{path}: not TOML: {exc}") from exc
    except RepeatedKeyError as exc:
        raise SettingsError(f"{path}:{exc.line}: {exc}") from exc
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise SettingsError(f"{path}:{line}: not YAML: {exc.problem}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path}: not a text in UTF-8") from exc
    except OSError as exc:
        raise SettingsError(f"{path}: {exc.strerror}") from exc
    raise SettingsError(f"{path}: expected a file that ends in .toml, .yaml or .yml")


def _gather(team: Team, said: object, file: _File) -> Iterator[tuple[str, str]]:
    """Add a file to the team; yield what cannot be added."""
    if not isinstance(said, dict):
        yield "", f"expected tables: {', '.join(MODELS)}"
        return
    for section, items in cast("Json", said).items():
        if section in _PLANNED:
            yield section, "not available yet; leave it out"
        elif section not in MODELS:
            yield section, f"unknown; expected one of: {', '.join(MODELS)}"
        elif not isinstance(items, dict):
            yield section, "expected a table by id"
        else:
            if section not in team.sections:
                team.sections.append(section)
            for id_, body in cast("Json", items).items():
                key = f"{section}.{id_}"
                if key in team.files:
                    yield key, f"written already in {team.place(key)}"
                else:
                    team.items[section][str(id_)] = body
                    team.files[key] = file


def _validate(team: Team) -> Iterator[tuple[str, str]]:
    """Have each item as JSON has it: TOML and YAML know dates. Yield what is wrong."""
    for section, model in MODELS.items():
        for id_, body in team.items[section].items():
            for adapter, value in ((_ID, id_), (TypeAdapter(model), body)):
                try:
                    read = adapter.validate_python(value)
                    if isinstance(read, model):
                        written = read.model_dump(mode="json", exclude_unset=True)
                        team.items[section][id_] = written
                except ValidationError as exc:
                    for problem in problems(exc, model):
                        key = ".".join(part for part in (section, id_, problem.field) if part)
                        yield key, _hint(problem.expected)


def _hint(expected: str) -> str:
    """YAML and TOML read an unquoted number as one: say what to do about it."""
    return f"{expected}, in quotes" if expected == "Input should be a valid string" else expected


_MARKS = {"added": "+", "changed": "~", "removed": "-", "unchanged": "="}
_KINDS = {"responder": "人员", "schedule": "值班表", "policy": "策略"}
_ACTIONS = {"added": "新增", "changed": "修改", "removed": "删除", "unchanged": "不变"}


def plan(changes: Sequence[Json], *, dry_run: bool) -> list[str]:
    """Return the plan in words: what is added, what changes from what to what, what stays."""
    lines: list[str] = []
    for change in changes:
        kind, action = change["kind"], change["action"]
        kind, said = told(_KINDS[kind], kind), told(_ACTIONS[action], action)
        lines.append(f"{_MARKS[action]} {kind} {change['id']}: {said}")
        if action == "changed":
            before, after = _flat(change["before"]), _flat(change["after"])
            nothing = told("(无)", "(none)")
            lines += [
                f"    {key}: {before.get(key, nothing)} -> {after.get(key, nothing)}"
                for key in dict.fromkeys((*before, *after))
                if before.get(key) != after.get(key)
            ]
    counts = {action: sum(change["action"] == action for change in changes) for action in _MARKS}
    summary = ", ".join(
        told(f"{_ACTIONS[action]} {count}", f"{count} {action}")
        for action, count in counts.items()
        if count or action != "removed"
    )
    untouched = told("未写入任何东西(--dry-run)", "nothing was written (--dry-run)")
    return [*lines, f"{summary}; {untouched}" if dry_run else summary]


def _flat(value: object, path: str = "") -> dict[str, str]:
    """Return leaves by their path, such as {"steps.0.wait": "300"}."""
    match value:
        case dict():
            pairs = cast("Json", value).items()
        case list() | tuple():
            pairs = ((str(i), item) for i, item in enumerate(cast("list[object]", value)))
        case _:
            return {path: str(value)}
    leaves: dict[str, str] = {}
    for key, item in pairs:
        leaves.update(_flat(item, f"{path}.{key}" if path else key))
    return leaves
