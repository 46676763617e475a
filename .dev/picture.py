"""Draw the README's picture: run the demo in a terminal of its own and save what it prints as an SVG."""

import io
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from rich.text import Text

HERE = Path(__file__).resolve().parent
WIDTH = 124


def main() -> None:
    """Run, record, save."""
    command = [sys.executable, "-m", "vfdir_lab.cli", "demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    for line in done.stdout.splitlines():
        style = "bold" if line and not line.startswith(" ") and line.endswith((".", "?", ":")) else ""
        console.print(Text(line[:WIDTH], style="dim" if line.startswith("  $") else style), soft_wrap=True)
    console.save_svg(
        str(HERE / "demo.svg"),
        title="",
        code_format=(HERE / "terminal.svg.in").read_text("utf-8"),
        theme=DEFAULT_TERMINAL_THEME,
    )


if __name__ == "__main__":
    main()
