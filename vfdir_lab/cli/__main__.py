"""`python -m vfdir_lab.cli`: the command line without its script."""

from vfdir_lab.cli import main

main()
