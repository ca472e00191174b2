"""Team files: responders and policies as code, in TOML or YAML."""

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
from ringback.lines import RepeatedKeyError, line_of, toml_lines, yaml_lines
from ringback.reports import told

Json = dict[str, Any]
MODELS: dict[str, type[Responder] | type[Policy]] = {"responders": Responder, "policies": Policy}
_PLANNED = ("schedules", "bots", "webhooks")
_ID = TypeAdapter[str](Identifier)


@dataclass(slots=True)
class Team:
    """What the files say, by section and id, and where they say it."""

    items: dict[str, Json] = field(default_factory=lambda: {name: {} for name in MODELS})
    files: dict[str, "_File"] = field(default_factory=dict[str, "_File"])

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


def read(paths: Sequence[Path]) -> Team:
    """Return what the files say. Raises SettingsError with every fault, one a line: FILE:LINE."""
    team, faults = Team(), list[str]()
    for path in paths:
        said, file = _read(path)
        for key, expected in _gather(team, said, file):
            said_of = f"{key}: " if key else ""
            faults.append(f"{file.name}:{line_of(file.lines, key)}: {said_of}{expected}")
    if not faults:
        faults = [f"{team.place(key)}: {key}: {expected}" for key, expected in _faults(team)]
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
            return yaml.safe_load(text) or {}, _File(str(path), lines)
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
            for id_, body in cast("Json", items).items():
                key = f"{section}.{id_}"
                if key in team.files:
                    yield key, f"written already in {team.place(key)}"
                else:
                    team.items[section][str(id_)] = body
                    team.files[key] = file


def _faults(team: Team) -> Iterator[tuple[str, str]]:
    for section, model in MODELS.items():
        for id_, body in team.items[section].items():
            for adapter, value in ((_ID, id_), (TypeAdapter(model), body)):
                try:
                    adapter.validate_python(value)
                except ValidationError as exc:
                    for problem in problems(exc, model):
                        key = ".".join(part for part in (section, id_, problem.field) if part)
                        yield key, _hint(problem.expected)


def _hint(expected: str) -> str:
    """YAML and TOML read an unquoted number as one: say what to do about it."""
    return f"{expected}, in quotes" if expected == "Input should be a valid string" else expected


_MARKS = {"added": "+", "changed": "~", "unchanged": "="}
_KINDS = {"responder": "人员", "policy": "策略"}
_ACTIONS = {"added": "新增", "changed": "修改", "unchanged": "不变"}


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
        told(f"{_ACTIONS[action]} {count}", f"{count} {action}") for action, count in counts.items()
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
