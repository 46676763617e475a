"""A small channel to wish about."""

from dataclasses import dataclass

from vfdir_lab.sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A channel of three texts, low, mid and high, and what is in it from the bottom up."""

    channel: str
    blocks: list[str]
    connections: list[str]


def new_shelf(sandbox: Sandbox) -> Shelf:
    """One of the account's own."""
    person = sandbox.world.main
    channel = int(sandbox.control.add_channel("A shelf", by=person)["id"])
    added = [sandbox.control.add_block(channel, text, by=person) for text in ("low", "mid", "high")]
    return Shelf(
        channel=f"channel:{channel}",
        blocks=[f"block:{one['id']}" for one in added],
        connections=[f"connection:{one['connection']}" for one in added],
    )
