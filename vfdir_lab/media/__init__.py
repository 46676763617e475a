"""Files of the archive: fetched from the web, and kept under the hash of what is in them.

Owns `<archive>/media`: where a copy is, that it is whole, and what sort of file it is; and how a file comes
from an address on the web into it.
Leaves to others: which files are wanted, and what the log says of them (`sync`).
Checked by: `tests/media/`.
"""

from vfdir_lab.media.content_type import HEAD_BYTES, content_type
from vfdir_lab.media.store import MediaStore, Stored

__all__ = ["HEAD_BYTES", "MediaStore", "Stored", "content_type"]
