"""Starting, stopping, finding the world, serving in the foreground."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from vfdir_lab.errors import SandboxError
from vfdir_lab.sandbox import Sandbox, World, seed
from vfdir_lab.sandbox.seed import load_world


def test_it_starts_and_stops_well_under_a_second_and_leaves_nothing_behind():
    before = threading.active_count()
    begun = time.perf_counter()
    with Sandbox() as sandbox:
        assert httpx.get(f"{sandbox.url}/v3/ping", trust_env=False).status_code == 200
        port = int(sandbox.url.rsplit(":", 1)[1])
    assert time.perf_counter() - begun < 1
    assert threading.active_count() == before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_it_stops_quietly_while_a_request_hangs(caplog):
    with Sandbox(world=World()) as sandbox:
        sandbox.control.arm("slow", match="GET .*", seconds=60)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{sandbox.url}/v3/ping", timeout=0.2, trust_env=False)
        begun = time.perf_counter()
    assert time.perf_counter() - begun < 1
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_whoever_still_waits_when_it_stops_gets_no_answer():
    caught: list[Exception] = []

    def ask(url: str) -> None:
        try:
            httpx.get(url, timeout=30, trust_env=False)
        except httpx.TransportError as error:
            caught.append(error)

    with Sandbox(world=World()) as sandbox:
        sandbox.control.arm("slow", match="GET .*", seconds=60)
        thread = threading.Thread(target=ask, args=(f"{sandbox.url}/v3/ping",))
        thread.start()
        deadline = time.monotonic() + 5
        while not sandbox.control.requests() and time.monotonic() < deadline:
            time.sleep(0.01)
    thread.join(5)
    assert len(caught) == 1


def test_it_can_be_started_again_with_the_same_world():
    sandbox = Sandbox(world=World())
    sandbox.start()
    sandbox.start()
    sandbox.control.add_channel("Harbour")
    sandbox.stop()
    sandbox.stop()
    with sandbox:
        answer = httpx.get(f"{sandbox.url}/v3/channels/harbour", trust_env=False)
    assert answer.status_code == 200


def test_a_port_that_is_taken_is_an_error_that_says_so():
    with Sandbox(world=World()) as sandbox:
        port = int(sandbox.url.rsplit(":", 1)[1])
        with pytest.raises(SandboxError, match=f"port {port}"):
            Sandbox(port=port, world=World()).start()


def test_it_listens_on_loopback_only_and_its_tokens_cannot_be_guessed():
    with Sandbox(world=World()) as sandbox, Sandbox(world=World()) as another:
        assert sandbox.url.startswith("http://127.0.0.1:")
        tokens = {
            getattr(one.tokens, kind) for one in (sandbox, another) for kind in ("write", "read", "other")
        }
    assert len(tokens) == 6
    assert all(len(token) > 32 for token in tokens)


@pytest.mark.skipif(os.name == "nt", reason="interrupts are sent differently there")
def test_serving_in_the_foreground_ends_when_interrupted():
    code = (
        "from vfdir_lab.sandbox import serve\n"
        "serve(0, lambda sandbox: print(sandbox.url, flush=True))\n"
        "print('ended', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/v3/channels/tides", trust_env=False).json()["title"] == "Tides"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert rest == "ended\n"
    assert process.returncode == 0


def test_the_world_is_the_same_each_time():
    first, second = load_world(), load_world()
    assert first.blocks == second.blocks
    assert first.connections == second.connections
    assert first.channels == second.channels


def test_an_installed_package_finds_its_world_beside_itself(monkeypatch, tmp_path):
    (tmp_path / "_data").mkdir()
    monkeypatch.setattr(seed, "_HERE", tmp_path)
    assert seed.data_folder() == tmp_path / "_data"


PEOPLE = """main = "a"
other = "b"
people = [{ slug = "a", name = "A", tier = "free", created_at = 2020-01-01T00:00:00Z },
          { slug = "b", name = "B", tier = "free", created_at = 2020-01-01T00:00:00Z }]
"""
CHANNEL = 'title = "T"\nowner = "a"\nvisibility = "public"\ncreated_at = 2020-01-01T00:00:00Z\n'


def _write(folder: Path, people: str, channel: str) -> Path:
    (folder / "channels").mkdir()
    (folder / "people.toml").write_text(people, encoding="utf-8")
    (folder / "channels" / "t.toml").write_text(channel, encoding="utf-8")
    return folder


def test_a_request_whose_body_breaks_off_asks_for_nothing(sandbox, me):
    """As at a real server: half a request is none, whatever its half would have meant."""
    place = me.post("/uploads/presign", json={"files": [{"filename": "a", "content_type": "a/b"}]}).json()
    upload = place["files"][0]
    path = upload["upload_url"].removeprefix(sandbox.url)
    sandbox.control.clear_requests()
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1]))) as line:
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 9\r\n\r\nhalf"
        line.sendall(head.encode())
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b""
    assert sandbox.world.media.uploads[upload["key"]].file is None
    assert sandbox.control.requests() == []


def test_a_small_world_can_be_written_by_hand(tmp_path):
    world = load_world(_write(tmp_path, PEOPLE, CHANNEL + '[[items]]\ntext = "x"\n'))
    assert [block.content for block in world.blocks.values()] == ["x"]


@pytest.mark.parametrize(
    ("people", "channel", "names"),
    [
        ("main = [", CHANNEL, "people.toml"),
        (PEOPLE.replace('"free"', '"gold"'), CHANNEL, "tier"),
        (PEOPLE.replace('other = "b"', 'other = "c"'), CHANNEL, "other"),
        (PEOPLE, CHANNEL.replace('owner = "a"', 'owner = "c"'), "t.toml names c"),
        (PEOPLE, CHANNEL.replace('"public"', '"open"'), "visibility"),
        (PEOPLE, CHANNEL + "colour = 1\n", "colour"),
        (PEOPLE, CHANNEL + "[[items]]\ntext = 1\n", "t.toml, items 1 wants text"),
        (PEOPLE, CHANNEL + "[[items]]\ntitle = 'x'\n", "items 1 wants one of"),
        (PEOPLE, CHANNEL + "[[items]]\nblock = 'x'\n", "block x"),
        (PEOPLE, CHANNEL + "[[items]]\nchannel = 'x'\n", "channel that does not exist"),
        (PEOPLE, CHANNEL + "[[items]]\ntext = 'x'\nby = 'nobody'\n", "nobody"),
        (PEOPLE, CHANNEL + "[[items]]\ntext_file = '../people.toml'\n", "not in its folder"),
        (PEOPLE, CHANNEL + "[[items]]\nimage = 'gone.png'\n", "gone.png"),
        (PEOPLE, CHANNEL + "metadata = { a = [1] }\n", "plain values"),
        (PEOPLE, CHANNEL + "collaborators = [1]\n", "texts in collaborators"),
        (PEOPLE, CHANNEL + "[[items]]\ntext = 'x'\ncomments = [{ by = 'c', body = 'y' }]\n", "nobody in"),
    ],
)
def test_a_world_that_cannot_be_read_is_an_error_that_names_the_place(tmp_path, people, channel, names):
    with pytest.raises(SandboxError) as caught:
        load_world(_write(tmp_path, people, channel))
    assert names in str(caught.value)
