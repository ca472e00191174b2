"""What the networks say of a text that did not arrive: both carriers hand their codes on.

From lists of third parties, which differ; carriers document none. So only what all agree on.
"""

from typing import Literal

from paging.errors import Row


def _recipient(
    outcome: str, *, other: bool = False, again: Literal["never", "later"] = "later"
) -> Row:
    return Row("recipient_rejected", outcome, other_provider=other, again=again)


RECEIPTS: dict[str, Row] = {
    "MK:0001": _recipient("bad_number", again="never"),
    "MK:0005": _recipient("suspended", again="never"),
    "MK:0010": _recipient("off"),
    # Off or out of area for most, a blocked sender for some: another carrier may help.
    "UNDELIV": _recipient("unreachable", other=True),
    "EXPIRED": _recipient("unreachable"),
    # A word in it, or the sender: another carrier sends other words under another name.
    "REJECTD": _recipient("blocked", other=True),
}
UNDELIVERED = Row("unknown", "undelivered")
