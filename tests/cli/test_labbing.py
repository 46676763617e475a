"""`lab`: a person's own notebooks, in a JupyterLab that only this machine reaches."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from ran import Ran

from vfdir_lab.cli.labbing import copy_notebooks, notebooks_folder
from vfdir_lab.errors import ArchiveWriteError

Run = Callable[..., Ran]
PATIENCE_SECONDS = 90


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """How JupyterLab was started, instead of starting it: options and environment."""
    seen: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(
        "jupyterlab.labapp.LabApp.launch_instance",
        lambda options: seen.append((list(options), dict(os.environ))),
    )
    return seen


def test_every_notebook_is_copied_once_and_a_changed_copy_stays(tmp_path: Path) -> None:
    names = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))
    assert copy_notebooks(tmp_path) == [f"notebooks in {tmp_path}: {len(names)} new"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    mine = tmp_path / names[0]
    mine.write_text("mine", "utf-8")
    (tmp_path / names[1]).unlink()
    told = copy_notebooks(tmp_path)
    assert told[0].endswith(": 1 new")
    assert [line.split(":")[1].split()[0] for line in told[1:]] == [names[0]]
    assert mine.read_text("utf-8") == "mine"


def test_a_folder_that_cannot_be_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ArchiveWriteError, match="choose a --folder"):
        copy_notebooks(tmp_path / "file" / "notebooks")


def test_the_notebooks_are_beside_the_archive_and_know_where_it_is(
    run: Run, home: Path, settings: dict[str, str], started: list[tuple[list[str], dict[str, str]]]
) -> None:
    ran = run("lab", "--no-browser")
    assert ran.code == 0, ran.err
    ((options, environment),) = started
    place = home.with_name("archive-notebooks")
    assert options == ["--ip=127.0.0.1", f"--ServerApp.root_dir={place}", "--no-browser"]
    assert (place / "01_start.ipynb").is_file()
    assert environment["VFDIR_HOME"] == str(home)
    assert environment["ARENA_TOKEN"] == settings["ARENA_TOKEN"]
    assert environment["ARENA_API_URL"] == settings["ARENA_API_URL"]
    assert settings["ARENA_TOKEN"] not in " ".join([*options, ran.out, ran.err])
    assert not home.exists()


def test_the_folder_can_be_chosen(
    run: Run, tmp_path: Path, started: list[tuple[list[str], dict[str, str]]]
) -> None:
    assert run("lab", "--folder", str(tmp_path / "own")).code == 0
    assert started[0][0] == ["--ip=127.0.0.1", f"--ServerApp.root_dir={tmp_path / 'own'}"]


def test_without_jupyterlab_it_is_one_line(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    ran = run("lab")
    assert ran.code == 1
    assert "pip install 'vfdir_lab[lab]'" in ran.err
    assert ran.err.count("\n") == 1
    assert not home.with_name("archive-notebooks").exists()


def test_a_real_one_answers_on_loopback_to_whoever_has_its_token(tmp_path: Path) -> None:
    config, runtime = tmp_path / "config", tmp_path / "runtime"
    config.mkdir()
    (config / "jupyter_server_config.json").write_text('{"ServerApp": {"allow_root": true}}', "utf-8")
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "vfdir_lab.cli", "lab", "--no-browser", "--home", str(tmp_path / "a")],
            env=os.environ | {"JUPYTER_CONFIG_DIR": str(config), "JUPYTER_RUNTIME_DIR": str(runtime)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        server = served(process, runtime)
        assert server["url"].startswith(("http://127.0.0.1:", "http://localhost:"))
        contents = f"http://127.0.0.1:{server['port']}/api/contents"
        assert httpx.get(contents).status_code == 403
        shown = httpx.get(contents, headers={"Authorization": f"token {server['token']}"}).json()
        assert "01_start.ipynb" in [one["name"] for one in shown["content"]]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0, (tmp_path / "said").read_text("utf-8")


def served(process: "subprocess.Popen[bytes]", runtime: Path) -> dict[str, str]:
    """What a Jupyter server says of itself, once it answers."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            try:
                told: dict[str, str] = json.loads(path.read_text("utf-8"))
                httpx.get(f"http://127.0.0.1:{told['port']}/api")
            except (ValueError, httpx.TransportError):
                continue
            return told
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start (it ended with {process.poll()})")
