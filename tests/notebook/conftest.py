"""A shell in this process with the extension loaded, and a small archive of which every event is chosen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a cell did: whether it succeeded, what it returned, wrote and displayed (as MIME bundles)."""

    ok: bool
    value: Any
    stdout: str
    stderr: str
    displayed: list[dict[str, str]] = field(default_factory=list)

    @property
    def said(self) -> str:
        """All of it that is text, displays as their plain form."""
        return "\n".join([self.stdout, self.stderr, *(one["text/plain"] for one in self.displayed)])


class Notebook:
    """A person's notebook."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.variables: dict[str, Any] = shell.user_ns

    def run(self, source: str) -> Ran:
        """Run a cell."""
        with capture_output() as captured:
            result = self.shell.run_cell(source)
        return Ran(
            ok=result.success,
            value=result.result,
            stdout=captured.stdout,
            stderr=captured.stderr,
            displayed=[output.data for output in captured.outputs],
        )

    def shown(self, value: object) -> dict[str, str]:
        """How a value is displayed."""
        bundle, _ = self.shell.display_formatter.format(value)
        return bundle

    def completions(self, marked: str) -> list[str]:
        """What is offered at the `|` of a cell, as the front end of a notebook asks for it."""
        place = marked.index("|")
        with provisionalcompleter():
            found = list(self.shell.Completer.completions(marked.replace("|", "", 1), place))
        return [marked[: one.start] + one.text for one in found]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A plain shell that keeps no history and writes nothing of the person's."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    quiet = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}})
    shell = InteractiveShell.instance(config=quiet, colors="nocolor")
    yield shell
    shell.reset(new_session=False)
    shell.restore_sys_module_state()  # it had become __main__
    InteractiveShell.clear_instance()


@pytest.fixture
def notebook(shell: InteractiveShell) -> Notebook:
    """A notebook in which the extension is loaded and nothing is open."""
    shell.run_line_magic("load_ext", "vfdir_lab")
    return Notebook(shell)


def seen(kind: str, object_id: str, **payload: Any) -> Draft:
    """Something that are.na showed."""
    return Draft(kind=f"{kind}.observed", object_id=object_id, payload=payload, origin="arena")


def a_block(number: int, title: str | None, **fields: Any) -> Draft:
    """A block that are.na showed."""
    return seen("block", f"block:{number}", type="Text", title=title, **fields)


@pytest.fixture
def block() -> Callable[..., Draft]:
    """Makes a block that are.na showed: its number, its title, other fields."""
    return a_block


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., Archive]:
    """Makes an archive of these events."""

    def make(*drafts: Draft, name: str = "arena") -> Archive:
        archive = Archive(tmp_path / name, create=True)
        archive.log.append(drafts)
        return archive

    return make


@pytest.fixture
def archive(make_archive: Callable[..., Archive]) -> Archive:
    """Three blocks, one without a title, and a channel."""
    return make_archive(
        a_block(1, "Spring and neap", created_at="2023-03-03T02:19:17Z"),
        a_block(2, None, content={"markdown": "Twelve hours\nand more"}, created_at="2023-04-12T00:00:00Z"),
        a_block(3, "Tide staff", created_at="2023-05-05T00:00:00Z"),
        seen("channel", "channel:7", title="Tides", slug="tides", visibility="public"),
    )


@pytest.fixture
def opened(notebook: Notebook, archive: Archive) -> Notebook:
    """The notebook, with that archive as its variable `archive`."""
    notebook.variables["archive"] = archive
    return notebook
