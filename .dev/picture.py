"""Draw the README's picture: run the demo in a terminal of its own and save what it prints as an SVG."""

import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
WIDTH = 124
FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="The demo in a terminal">
<style>{styles} text{{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:20px}}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}</defs><rect width="100%" height="100%" fill="#fbfbfa"/>
<g transform="translate({terminal_x},{terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


def main() -> None:
    """Run, record, save."""
    command = [sys.executable, "-m", "vfdir_lab.cli", "demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    console = Console(record=True, width=WIDTH, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115
    for line in done.stdout.splitlines():
        style = "bold" if line and not line.startswith(" ") and line.endswith((".", "?", ":")) else ""
        console.print(Text(line[:WIDTH], style="dim" if line.startswith("  $") else style), soft_wrap=True)
    console.save_svg(str(HERE / "demo.svg"), title="", code_format=FRAME)


if __name__ == "__main__":
    main()
