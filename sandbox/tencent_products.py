"""What the front of Tencent Cloud has to know of each product."""

from dataclasses import dataclass

from sandbox.actions import Action


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    `parameters`: what each action takes, and of which kind; `required`: those of them that must not
    be missing. `not_json`: its code for a body that is no JSON object.
    """

    service: str
    version: str
    actions: dict[str, Action]
    parameters: dict[str, dict[str, type]]
    required: tuple[str, ...]
    not_json: str
