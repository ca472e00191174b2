"""Where in a file a value was written, so that an error can name the line.

A path is the keys and list indexes joined by dots, as errors name fields: `policies.ops.steps.0`.
"""

import re
from collections.abc import Callable, Mapping
from typing import cast

import yaml

_STRING = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|"(?:\\.|[^"\\\n])*"|'''
    r"""'{3}.*?'{3,5}|'[^'\n]*'""",
    re.DOTALL,
)
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[^\s,=#\[\]{}.\"']+")
_SCALAR = re.compile(r"[^,#\]}\n]+")


def line_of(lines: Mapping[str, int], path: str) -> int:
    """Return the line of a path, or of the nearest thing around it that was written."""
    while path not in lines and "." in path:
        path = path.rpartition(".")[0]
    return lines.get(path, 1)


def toml_lines(text: str) -> dict[str, int]:
    """Return the line of every key and item. `text` is known to be TOML: it was parsed before."""
    return _Toml(text).lines


class _Toml:
    """One walk over a document, recording where each key and item begins."""

    def __init__(self, text: str) -> None:
        self.lines: dict[str, int] = {}
        self._text = text
        self._at = 0
        self._items: dict[str, int] = {}  # how many [[path]] there were so far
        self._document()

    def _document(self) -> None:
        table = ""
        while self._skip():
            if self._take("[["):
                table = self._header(array=True)
            elif self._take("["):
                table = self._header(array=False)
            else:
                self._pair(table)

    def _header(self, *, array: bool) -> str:
        line = self._line()
        path = ""
        *parents, last = self._keys()
        for key in parents:
            path = self._newest(_join(path, key))
            self.lines.setdefault(path, line)
        path = _join(path, last)
        self.lines.setdefault(path, line)
        if array:
            self._items[path] = self._items.get(path, -1) + 1
            path = self._newest(path)
            self.lines[path] = line
        self._skip()
        self._at += 2 if array else 1
        return path

    def _newest(self, path: str) -> str:
        return f"{path}.{self._items[path]}" if path in self._items else path

    def _pair(self, table: str) -> None:
        line, path = self._line(), table
        for key in self._keys():
            path = _join(path, key)
            self.lines.setdefault(path, line)
        self._skip()
        self._take("=")
        self._value(path)

    def _value(self, path: str) -> None:
        self._skip()
        if self._take("["):
            index = 0
            while self._skip() and not self._take("]"):
                self.lines[f"{path}.{index}"] = self._line()
                self._value(f"{path}.{index}")
                self._skip()
                self._take(",")
                index += 1
        elif self._take("{"):
            while self._skip() and not self._take("}"):
                self._pair(path)
                self._skip()
                self._take(",")
        elif not self._match(_STRING):
            self._match(_SCALAR)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip()
            quoted = self._match(_STRING)
            keys.append(quoted[1:-1] if quoted else self._match(_BARE))
            self._skip()
            if not self._take("."):
                return keys

    def _skip(self) -> bool:
        self._match(_GAP)
        return self._at < len(self._text)

    def _take(self, token: str) -> bool:
        found = self._text.startswith(token, self._at)
        self._at += len(token) if found else 0
        return found

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found[0] if found else ""

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1


class RepeatedKeyError(ValueError):
    """A YAML mapping has a key twice; the loader would keep the last one and say nothing."""

    def __init__(self, path: str, line: int) -> None:
        super().__init__(f"{path}: written twice")
        self.path = path
        self.line = line


def yaml_lines(text: str) -> dict[str, int]:
    """Return the line of every key and item. Raises RepeatedKeyError, yaml.YAMLError."""
    lines: dict[str, int] = {}
    compose = cast("Callable[[str, object], yaml.Node | None]", yaml.compose)  # pyright: ignore[reportUnknownMemberType]
    root = compose(text, yaml.SafeLoader)
    if root is not None:
        _walk_yaml(root, "", lines)
    return lines


def _walk_yaml(node: yaml.Node, path: str, lines: dict[str, int]) -> None:
    match node:
        case yaml.MappingNode():
            seen: set[str] = set()
            for key, value in node.value:
                inner, line = _join(path, str(key.value)), key.start_mark.line + 1
                if inner in seen:
                    raise RepeatedKeyError(inner, line)
                seen.add(inner)
                lines[inner] = line
                _walk_yaml(value, inner, lines)
        case yaml.SequenceNode():
            for index, item in enumerate(node.value):
                inner = f"{path}.{index}"
                lines[inner] = item.start_mark.line + 1
                _walk_yaml(item, inner, lines)
        case _:
            pass


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
