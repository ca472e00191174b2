"""What callers without the scope `admin` see of phone numbers and addresses."""

from web.api import Json

_LEAST_SHOWN = 10  # characters; a shorter number would be told by what is left of it


def phone(number: str) -> str:
    """Return the number without the four digits before the last four: +86137****0000."""
    if len(number) < _LEAST_SHOWN:
        return "****" + number[-2:]
    return f"{number[:-8]}****{number[-4:]}"


def email(address: str) -> str:
    """Return the address with the first letter of its name alone: l***@example.com."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"


def address(value: str) -> str:
    """Return a contact's address masked by its form: a number, mail, or an account's id."""
    if "@" in value:
        return email(value)
    return phone(value) if value.startswith("+") else f"{value[:1]}***"


def responder(view: Json) -> Json:
    """Return a responder without whole addresses."""
    masked = {key: address(view[key]) for key in ("phone", "email") if view.get(key)}
    accounts = {platform: address(id_) for platform, id_ in view.get("accounts", {}).items()}
    return {**view, **masked, **({"accounts": accounts} if "accounts" in view else {})}


def schedule(view: Json) -> Json:
    """Return a schedule without its calendar's address, which opens the calendar."""
    return {**view, "url": "***"} if "url" in view else view


def attempt(view: Json) -> Json:
    """Return an attempt without whole addresses."""
    contact = view["contact"]
    return {**view, "contact": {**contact, "address": address(contact["address"])}}


def incident(view: Json) -> Json:
    """Return an incident whose attempts have no whole addresses."""
    if "attempts" not in view:
        return view
    return {**view, "attempts": [attempt(each) for each in view["attempts"]]}
