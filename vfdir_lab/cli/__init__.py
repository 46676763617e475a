"""The command line: a thin layer over `Archive`, one file for each group of commands.

Owns options, tables, progress bars and exit codes: 0 done; 1 the work failed (one line on stderr, no
traceback); 2 wrong usage; 3 partly done and resumable. Leaves every rule to the parts below.
"""

from vfdir_lab.cli.app import main

__all__ = ["main"]
