"""What sort of file: the bytes are believed more than the name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.media import HEAD_BYTES, content_type

HEADS = {
    "image/png": b"\x89PNG\r\n\x1a\n\x00\x00",
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "image/gif": b"GIF89a\x01\x00",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "image/avif": b"\x00\x00\x00\x20ftypavif",
    "audio/wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "application/pdf": b"%PDF-1.7\n%\xe2\xe3",
    "audio/mpeg": b"ID3\x04\x00",
    "video/mp4": b"\x00\x00\x00\x20ftypisom",
    "application/zip": b"PK\x03\x04\x14\x00",
}


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("name", ["no-ending", "lies.txt", "lies.png", "lies.mp4"])
def test_the_bytes_say_what_it_is_whatever_the_name(kind: str, name: str) -> None:
    assert content_type(name, HEADS[kind]) == kind


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("notes.txt", b"hello", "text/plain"),
        ("notes.md", "Grüße".encode(), "text/markdown"),
        ("data.json", b"{}", "application/json"),
        ("table.csv", b"a,b\n1,2\n", "text/csv"),
        ("page.html", b"<!doctype html>", "text/html"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        ("README", b"plain words", "text/plain"),
        ("lies.png", b"plain words", "text/plain"),
        ("lies.pdf", b"\x00\x01\x02", "application/octet-stream"),
        ("lies.txt", b"\x00\x01\x02", "application/octet-stream"),
        ("lies.svg", b"\x00\x01\x02", "application/octet-stream"),
        ("book.epub", b"PK\x03\x04\x14\x00", "application/epub+zip"),
        ("nothing-known", b"\x00\x01\x02", "application/octet-stream"),
        ("program.wasm", b"\x00asm", "application/wasm"),
        ("wave.webp", b"RIFX\x24\x00\x00\x00WEBP", "application/octet-stream"),
    ],
)
def test_the_name_says_what_bytes_cannot(name: str, head: bytes, kind: str) -> None:
    assert content_type(name, head) == kind


@given(st.text(max_size=60), st.integers(0, 3))
def test_a_text_that_is_cut_within_a_character_is_still_a_text(text: str, cut: int) -> None:
    clean = "".join(sign for sign in text if sign >= " ") + "a" * HEAD_BYTES
    data = clean.encode("utf-8", "ignore")[: HEAD_BYTES - cut]
    assert content_type("notes", data) in {"text/plain", *HEADS}


@given(st.text(max_size=40), st.binary(max_size=64))
def test_there_is_always_an_answer_that_can_stand_in_a_header(name: str, head: bytes) -> None:
    from vfdir_lab.arena import checks

    assert checks.content_type(content_type(name, head))
