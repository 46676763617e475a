"""Set up and run: `python3 .dev/run.py demo` shows the product, `python3 .dev/run.py test` is the gate.

Owns the private environment `.venv` of this checkout, made with the Python that runs this file and the
versions in `constraints.txt`. Needs Python 3.11+ and pip, nothing else; everything after that is installed
into `.venv` and nowhere else. The environment is made again only when pyproject.toml or the constraints
change. The one thing beyond it: a machine of CI (`CI=true`, Debian, root) that has no Chromium or no Java is
given them, for the tests in a browser and on Spark. Elsewhere those are left out, and the gate says so.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
CONSTRAINTS = ROOT / ".dev" / "constraints.txt"
PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "openjdk-17-jre-headless": ("java",),
}
"""What some tests need beside Python: a package of Debian's, and the programs any of which will do."""
RESULTS = VENV / "results.xml"
EXTRAS = {"demo": "sandbox", "test": "sandbox,lab,scale,dev"}

GATE = (
    ("format", ["ruff", "format", "--check", "."]),
    ("lint", ["ruff", "check", "."]),
    ("types", ["mypy"]),
    ("layers", ["lint-imports", "--no-cache"]),
    (
        "tests",
        [
            "pytest",
            "-n",
            "auto",
            "--dist",
            "loadgroup",
            "--cov",
            "--cov-report=term",
            f"--junitxml={RESULTS}",
        ],
    ),
)


def wanted(extras: str) -> str:
    """The fingerprint of an environment: it is rebuilt when this changes."""
    parts = [
        sys.version,
        extras,
        (ROOT / "pyproject.toml").read_text("utf-8"),
        CONSTRAINTS.read_text("utf-8"),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def prepare(extras: str) -> None:
    """Make `.venv` with the project and these extras, unless it is there already."""
    stamp = VENV / f"ready-{extras.replace(',', '-')}"
    if stamp.is_file() and stamp.read_text("utf-8") == wanted(extras):
        return
    print(f"Setting up {VENV.name} (once; a minute or two) …", flush=True)
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=True)
    # The outer pip installs into the new environment, so ensurepip (missing on some systems) is not needed.
    pip = [sys.executable, "-m", "pip", "--python", str(PYTHON), "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "install", "--constraint", str(CONSTRAINTS), "--editable", f"{ROOT}[{extras}]"],
        check=True,
        cwd=ROOT,
    )
    stamp.write_text(wanted(extras), "utf-8")


def provide_programs() -> None:
    """On a machine of CI that has no Chromium or no Java, and only there, have the system install them."""
    lacking = [package for package, programs in PROGRAMS.items() if not any(map(shutil.which, programs))]
    may = os.environ.get("CI") == "true" and hasattr(os, "geteuid") and os.geteuid() == 0
    apt = shutil.which("apt-get")
    if not lacking or not may or apt is None:
        return
    print(f"Installing {' and '.join(lacking)} with apt-get, for the tests that need it …", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["update", "--quiet"],
        *(["install", "--quiet", "--yes", "--no-install-recommends", package] for package in lacking),
    ):
        # Where this fails, the tests that need it say what is missing.
        subprocess.run([apt, *command], check=False, env=environment, stdout=subprocess.DEVNULL)


def left_out() -> list[str]:
    """What the tests skipped, a line for each reason."""
    try:
        skipped = ElementTree.parse(RESULTS).iter("skipped")  # noqa: S314 - pytest wrote it just now
        reasons = Counter(one.get("message", "") for one in skipped)
    except (OSError, ElementTree.ParseError):
        return ["unknown: the tests left no results"]
    return [f"{count} tests: {reason}" for reason, count in sorted(reasons.items())]


def gate() -> int:
    """Run every check, all of them even when one fails; name the ones that failed, and what was left out."""
    provide_programs()
    RESULTS.unlink(missing_ok=True)
    failed = []
    for name, command in GATE:
        print(f"\n== {name}: {' '.join(command)}", flush=True)
        program = BIN / command[0]
        if subprocess.run([str(program), *command[1:]], check=False, cwd=ROOT).returncode != 0:
            failed.append(name)
    for line in left_out():
        print(f"left out: {line}")
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall checks passed", flush=True)
    return 1 if failed else 0


def main(arguments: list[str]) -> int:
    """Dispatch `demo` (with any further arguments for it) or `test`."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever python3 is there runs this file
        print("vfdir_lab needs Python 3.11 or newer", file=sys.stderr)
        return 1
    if not arguments or arguments[0] not in EXTRAS or (arguments[0] == "test" and arguments[1:]):
        print("usage: python3 .dev/run.py demo [ARGUMENTS…] | test", file=sys.stderr)
        return 2
    try:
        prepare(EXTRAS[arguments[0]])
    except subprocess.CalledProcessError as error:
        print(f"the set-up stopped: {error}", file=sys.stderr)
        return 1
    if arguments[0] == "test":
        return gate()
    return subprocess.run([str(BIN / "vfdir-lab"), *arguments], check=False, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
