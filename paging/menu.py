"""The key menu of a call: which digit does what."""

from collections.abc import Mapping
from typing import Literal

Action = Literal["acknowledge", "escalate", "mute", "close"]
Menu = Mapping[str, Action]

DEFAULT: dict[str, Action] = {"1": "acknowledge", "2": "escalate", "3": "mute"}
MUTE_MINUTES = 30
