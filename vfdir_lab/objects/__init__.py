"""Python objects over the projections: one object for each id, live and without a copy of the data.

Owns `archive.objects` and what it gives. Guarantees: everything that leads to an id leads to the same
object; what it shows is what the tables show, also after a pull, a push or another lens; what vanished
stays readable. Leaves the tables to `projection` and wishes to `sync`: assigning an attribute calls what
the archive gave for it. Checked by: `tests/objects`; what a million objects take, by `python -m
vfdir_lab.bench objects`.
"""

from vfdir_lab.objects.asking import All, Objects
from vfdir_lab.objects.noticing import NoticingLog
from vfdir_lab.objects.observers import ObserverWarning
from vfdir_lab.objects.pool import Pool
from vfdir_lab.objects.thing import Change, Thing
from vfdir_lab.objects.things import Block, Channel, Comment, Connection, User

__all__ = [
    "All",
    "Block",
    "Change",
    "Channel",
    "Comment",
    "Connection",
    "NoticingLog",
    "Objects",
    "ObserverWarning",
    "Pool",
    "Thing",
    "User",
]
