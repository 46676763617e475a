"""Loading: nothing is there before, all of it after, once."""

import subprocess
import sys
from typing import Any

from IPython.core.interactiveshell import InteractiveShell


def test_importing_the_package_needs_no_ipython() -> None:
    code = "import sys, vfdir_lab, vfdir_lab.archive; sys.exit('IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_is_added_before_the_extension_is_loaded(shell: InteractiveShell) -> None:
    assert "vfdir" not in shell.magics_manager.magics["line"]
    shell.run_line_magic("load_ext", "vfdir_lab")
    assert "vfdir" in shell.magics_manager.magics["line"]
    assert {"vfdir", "projection"} <= shell.magics_manager.magics["cell"].keys()


def test_loading_again_adds_nothing_twice(opened: Any) -> None:
    before = len(opened.shell.Completer.custom_matchers)
    opened.run("%reload_ext vfdir_lab")
    assert len(opened.shell.Completer.custom_matchers) == before
    assert opened.completions("%vfdir st|") == ["%vfdir status"]
