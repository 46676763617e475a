"""A process that saves the media of a channel until it is killed: `saver.py ARCHIVE URL KILL_AT`.

It kills itself just before its so many-th change to files below the archive, flushes included.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from vfdir_lab.archive import Archive


def main() -> None:
    root, url, kill_at = sys.argv[1:]
    spec = spec_from_file_location("storer", Path(__file__).with_name("storer.py"))
    assert spec is not None
    assert spec.loader is not None
    storer = module_from_spec(spec)
    spec.loader.exec_module(storer)
    archive = Archive(root, api_url=url, token="")
    storer.die_at(int(kill_at), root)
    archive.save_media(1)
    sys.stdout.write("done")


if __name__ == "__main__":
    main()
