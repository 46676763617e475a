"""Events as pure values: stamps and clock, the envelope, canonical payloads, the catalogue of kinds.

Owns what an event *is*. Guarantees: values are frozen, stamps of a device strictly increase, a payload has
one spelling. Leaves where events live to `log` and what they mean to `projection`. Standard library only.
Checked by the property tests in `tests/event`.
"""

from vfdir_lab.event.canonical import canonical, parse
from vfdir_lab.event.event import Draft, Event
from vfdir_lab.event.ids import object_id, remote_number, subject
from vfdir_lab.event.kinds import KINDS, check_kind
from vfdir_lab.event.stamp import Clock, hlc_of, milliseconds_of
from vfdir_lab.event.upcast import UPCASTERS, Upcasters, lift

__all__ = [
    "KINDS",
    "UPCASTERS",
    "Clock",
    "Draft",
    "Event",
    "Upcasters",
    "canonical",
    "check_kind",
    "hlc_of",
    "lift",
    "milliseconds_of",
    "object_id",
    "parse",
    "remote_number",
    "subject",
]
