"""The project's own shape: every room is watched, and nothing names where packages come from."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}


def test_every_room_is_held_to_its_arrows_checked_and_shipped() -> None:
    """A new folder is in none of these lists until somebody writes it there."""
    tools = PROJECT["tool"]
    assert set(tools["importlinter"]["root_packages"]) == ROOMS - {"scripts"}
    assert set(tools["pyright"]["include"]) == ROOMS
    shipped = {name.rstrip("*") for name in tools["setuptools"]["packages"]["find"]["include"]}
    assert shipped == ROOMS - {"scripts"}
    decision = (ROOT / "docs/adr/0003-names-and-rooms.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z_]+)/` \|", decision, re.MULTILINE)) == ROOMS - {"scripts"}


PIN = re.compile(r"[a-z0-9._-]+==\S+( ;.*)? \\\n\s+--hash=sha256:[0-9a-f]{64}")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_is_pinned_with_hashes_and_no_address(name: str) -> None:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE)
    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert PIN.match(entry), entry  # no option either, such as one that names an index


def test_the_readmes_five_files_are_there() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    named = re.findall(r"`([a-z_]+/[a-z_]+\.py)`", readme)
    assert len(named) >= 5
    assert all((ROOT / path).is_file() for path in named)
