"""`GET /callers.vcf`: a card of every number that may call, to be let through do-not-disturb."""

import phonenumbers
from starlette.exceptions import HTTPException
from starlette.responses import Response

from web.api import Json
from web.auth import identify
from web.calls import Call

_NOTE = "允许这些号码在勿扰模式下来电。 / Let these numbers through do-not-disturb."
_LINE_BYTES = 75  # RFC 2426, 2.6: longer lines are folded


async def card(call: Call) -> Response:
    """Answer with the card: to a token of the API, or to the token of an address that was given."""
    token = call.request.query_params.get("token")
    if token is None:
        identify(call.request, "incidents:read", call.find)
    elif not call.links.may_read_callers(token, call.clock.now()):
        raise HTTPException(403, "this address is broken or older than 30 days; ask for a new one")
    return Response(
        _card(await call.paging.callers()),
        media_type="text/vcard; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="ringback.vcf"',
            "Cache-Control": "no-store",
        },
    )


def _card(callers: list[Json]) -> str:
    """Return a vCard 3.0, which every phone reads (RFC 2426)."""
    numbers = dict.fromkeys(_dialled(caller["number"]) for caller in callers)
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "N:ringback;;;;",
        "FN:ringback",
        "ORG:ringback",
        *(f"TEL;TYPE=WORK,VOICE:{number}" for number in numbers if number),
        f"NOTE:{_NOTE}",
        "END:VCARD",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _dialled(number: str) -> str:
    """Return a number as any phone knows it: international where it has such a form.

    Carriers write their callers as they are dialled in the mainland: what begins with 0 has an area
    code. Service numbers, such as 95… or 106…, have no other form.
    """
    digits = "".join(char for char in number if char in "+0123456789")
    try:
        known = phonenumbers.parse(digits, "CN")
    except phonenumbers.NumberParseException:
        return digits
    is_service = digits.startswith(("95", "106"))
    has_area = digits.startswith("0") and phonenumbers.is_possible_number(known)
    if is_service or not (has_area or phonenumbers.is_valid_number(known)):
        return digits
    return phonenumbers.format_number(known, phonenumbers.PhoneNumberFormat.E164)


def _folded(line: str) -> str:
    folded, room = "", _LINE_BYTES
    for char in line:
        size = len(char.encode())
        if size > room:
            folded, room = folded + "\r\n ", _LINE_BYTES - 1
        folded, room = folded + char, room - size
    return folded
