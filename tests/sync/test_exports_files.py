"""Files that are no exports, or hostile ones: one line says what is wrong, and nothing is recorded."""

import io
import os
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from exported import HEADER, csv_of, facts, row, take_in, zip_of

from vfdir_lab.archive import Archive
from vfdir_lab.errors import ImportFileError, UsageError
from vfdir_lab.sync import exports_file, exports_survey

GOOD = csv_of([row(1, "a"), row(2, "b")])
HEAD = ",".join(HEADER).encode() + b"\n"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive that never asks are.na."""
    return Archive(tmp_path / "archive", create=True)


@pytest.fixture
def refused(archive: Archive, tmp_path: Path) -> Callable[..., str]:
    """Imports what is to be refused; gives the message, after making sure that nothing was recorded."""

    def refusing(content: bytes, name: str = "tides.csv", kind: type[Exception] = ImportFileError) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(kind) as caught:
            take_in(archive, tmp_path / name)
        assert not facts(archive)
        said = str(caught.value)
        assert "\n" not in said
        assert name in said or getattr(caught.value, "file", "") in said
        return said

    return refusing


NO_CSV = {
    "nothing": (b"", "is empty"),
    "blank lines": (b"\n\n", "is empty"),
    "a mark alone": (b"\xef\xbb\xbf", "is empty"),
    "other columns": (b"Name,Value\n1,2\n", "its columns are Name, Value"),
    "semicolons": (b"ID;Title\n1;2\n", "its columns are ID;Title"),
    "an ID and nothing more": (b"ID,Else\n1,2\n", "its columns are ID, Else"),
    "a column twice": (b"ID,Title,title\n1,2,3\n", "a column comes twice"),
    "columns without end": (b"ID,Title" + b",x" * 200 + b"\n", "it has 202 columns"),
    "garbage": (b"\x00\x01\x02\xff" * 100, "no text in UTF-8"),
    "a NUL": (HEAD + b"1,a\0b,,,,,\n", "row 2: this is no CSV (it holds binary data)"),
    "another encoding": (HEAD + b"1,,\xff\xfe,,,,\n", "no text in UTF-8"),
    "UTF-16": ("ID,Title\n1,a\n".encode("utf-16"), "no text in UTF-8"),
    "an open quote": (HEAD + b'1,,"a,,,,\n2,,b,,,,\n', "row 2: this is no CSV (unexpected end of data)"),
    "a quote inside": (HEAD + b'1,,a,,,,\n2,,"b"c,,,,\n', "row 3: this is no CSV"),
    "a giant field": (HEAD + b"1,,a,,,,\n2," + b"x" * 200_000 + b",,,,,\n", "row 3: this is no CSV (field"),
    "a giant row": (HEAD + b"1," + b"x," * 800_000, "row 2: this is no CSV (a row of more than 1,000,000"),
    "a giant open quote": (HEAD + b'1,"' + b"x\n" * 800_000, "row 2: this is no CSV"),
    "no number at all": (
        HEAD + b"x,,,,,,\ny,,,,,,\n",
        "none of its rows names a block; the first is refused",
    ),
}


@pytest.mark.parametrize("case", NO_CSV)
def test_what_is_no_csv_of_are_na_is_refused(refused: Callable[..., str], case: str) -> None:
    content, said = NO_CSV[case]
    assert said in refused(content)


@pytest.mark.parametrize(
    ("identifier", "why"),
    [
        *(
            (text, "is no block's number")
            for text in ("", "abc", "-1", "0", "1.5", "٣", "1" * 19, "007", "1 2")
        ),
        ("1,2,3,4,5,6,7,8", "it has 14 cells, the header names 7 columns"),
    ],
)
def test_a_row_without_a_number_is_refused_and_the_others_go_on(
    archive: Archive, tmp_path: Path, identifier: str, why: str
) -> None:
    content = HEAD + b"5,,a,,,,\n\n" + f"{identifier},,b,,,,\n".encode() + b" 6 ,,c,,,,\n7,,cut"
    report = take_in(archive, tmp_path / "tides.csv", content)
    assert [one.row for one in report.refused] == [4, 6]
    assert why in report.refused[0].why
    assert "it has 3 cells" in report.refused[1].why
    assert [one["object_id"] for one in facts(archive, "kind = 'block.observed'")] == ["block:5", "block:6"]


def test_what_is_no_file_is_wrong_usage(archive: Archive, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name, said in {
        "missing.csv": "there is no file",
        "archive": "is a folder",
        "pipe.csv": "is no file",
    }.items():
        with pytest.raises(UsageError, match=said):
            take_in(archive, tmp_path / name)
    with pytest.raises(UsageError, match="there is no file"):
        take_in(archive, Path("a\0b"))
    with pytest.raises(UsageError, match="no channel name"):
        take_in(archive, tmp_path / "a.csv", GOOD, channel="a b")
    for title in ("", "a\nb", "\udcff", "x" * 2000):
        with pytest.raises(UsageError, match="is no title"):
            take_in(archive, tmp_path / "a.csv", GOOD, title=title)
    assert not facts(archive)


def packed(*entries: tuple[zipfile.ZipInfo | str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as into:
        for name, content in entries:
            into.writestr(name, content, how)
    return data.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)
    found.create_system, found.external_attr = 3, 0o120777 << 16
    return found


def flagged(data: bytes, flag: int) -> bytes:
    """The zip with a flag set on its first entry, in both places."""
    found = bytearray(data)
    central = data.index(b"PK\x01\x02")
    found[6] |= flag
    found[central + 8] |= flag
    return bytes(found)


GOOD_ZIP = zip_of({"tides.csv": GOOD})


NO_ZIP = {
    "nothing": (b"", "is empty"),
    "two letters": (b"PK", "damaged or cut short"),
    "a CSV": (GOOD, "damaged or cut short"),
    "no end": (GOOD_ZIP[:-30], "damaged or cut short"),
    "no start": (GOOD_ZIP[40:], "damaged or cut short"),
    "no files": (zip_of({}), "it holds no CSV of are.na's"),
    "no CSV": (zip_of({"a.jpg": b"x"}), "it holds no CSV of are.na's"),
    "other columns": (zip_of({"a.csv": b"x,y\n"}), "its columns are x, y"),
    "an empty CSV": (zip_of({"a.csv": b""}), "it holds no CSV of are.na's"),
    "encrypted": (flagged(GOOD_ZIP, 1), "is encrypted"),
    "LZMA": (packed(("tides.csv", GOOD), how=zipfile.ZIP_LZMA), "packed in a way that are.na does not use"),
}


@pytest.mark.parametrize("case", NO_ZIP)
def test_what_is_no_zip_of_are_na_is_refused(refused: Callable[..., str], case: str) -> None:
    content, said = NO_ZIP[case]
    assert said in refused(content, "all.zip")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/etc/tides.csv", "an absolute path"),
        ("\\tides.csv", "an absolute path"),
        ("C:\\tides.csv", "an absolute path"),
        ("c:/tides.csv", "an absolute path"),
        ("../tides.csv", "leads out of it"),
        ("a/../../tides.csv", "leads out of it"),
        ("a\\..\\tides.csv", "leads out of it"),
    ],
)
def test_a_zip_that_tries_a_path_trick_is_refused_whole(
    refused: Callable[..., str], name: str, said: str
) -> None:
    assert said in refused(packed(("tides.csv", GOOD), (name, b"x")), "all.zip")


def test_links_and_names_with_nul_are_refused(refused: Callable[..., str]) -> None:
    assert "a link" in refused(packed(("tides.csv", GOOD), (link("a.jpg"), b"/etc/passwd")), "all.zip")
    nul = packed(("tides.csv", GOOD), ("evilXname.jpg", b"x")).replace(b"evilX", b"evil\0")
    assert "a name with a NUL in it" in refused(nul, "all.zip")


def test_dots_in_a_name_are_no_trick(archive: Archive, tmp_path: Path) -> None:
    content = packed(("tides..csv", GOOD), ("...and then.jpg", b"x"), ("Q: what?.jpg", b"x"))
    assert take_in(archive, tmp_path / "all.zip", content).new == 2


def test_a_zip_bomb_is_refused_unopened(refused: Callable[..., str]) -> None:
    tracemalloc.start()
    bomb = packed(("tides.csv", HEAD + b"1,,,,,,\n" * 4_000_000))
    assert len(bomb) < 200_000
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    assert "unpacks to more than 200 times its size" in refused(bomb, "all.zip")
    assert tracemalloc.get_traced_memory()[1] - before < 12_000_000
    tracemalloc.stop()


def test_a_listing_may_not_be_larger_than_what_is_read(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports_file, "CSV_BYTES_MAX", len(GOOD) + 1)
    assert "MiB of CSV" in refused(GOOD + GOOD)
    assert "MiB of CSV" in refused(zip_of({"a.csv": GOOD, "b.csv": GOOD}), "all.zip")


def test_rows_and_file_names_are_bounded(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports_survey, "ROWS_MAX", 2)
    assert "row 4: larger than the 2 rows" in refused(csv_of(row(number) for number in (1, 2, 3)))
    monkeypatch.setattr(exports_survey, "BESIDE_CHARS_MAX", 10)
    assert "row 2: larger than" in refused(csv_of([row(1) | {"Filename": "x" * 11}]))


def test_the_directory_of_a_zip_is_bounded(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = zip_of({"tides.csv": GOOD} | {f"{number}.jpg": b"" for number in range(2000)})
    monkeypatch.setattr(exports_file, "ENTRIES_MAX", 2000)
    assert "it holds 2001 files" in refused(many, "all.zip")
    monkeypatch.setattr(exports_file, "DIRECTORY_BYTES_MAX", 100_000)
    assert "its directory is larger" in refused(many, "all.zip")


def test_a_wrong_check_sum_is_found_before_anything_is_recorded(refused: Callable[..., str]) -> None:
    stored = packed(
        ("tides.csv", csv_of(row(number, "title") for number in range(1, 3000))), how=zipfile.ZIP_STORED
    )
    assert "damaged or cut short" in refused(stored.replace(b"2999,,title", b"2999,,TITLE"), "all.zip")


def test_a_size_that_lies_reads_no_more_than_it_says(refused: Callable[..., str]) -> None:
    honest = packed(("tides.csv", csv_of(row(number, "title") for number in range(1, 3000))))
    central = honest.index(b"PK\x01\x02")
    lying = honest[: central + 24] + struct.pack("<I", 300) + honest[central + 28 :]
    refused(lying, "all.zip")


def test_nothing_is_written_beside_the_log(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    take_in(archive, tmp_path / "all.zip", packed(("tides/tides.csv", GOOD), ("tides/1.jpg", b"x")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip", "archive", "elsewhere"]
    assert not any((tmp_path / "elsewhere").iterdir())
    names = {path.suffix for path in (tmp_path / "archive").rglob("*") if path.is_file()}
    assert names <= {".toml", ".parquet"}


def test_any_damage_is_a_typed_error_or_none(archive: Archive, tmp_path: Path) -> None:
    """Bytes flipped, cut and repeated at random, in a CSV and a zip."""
    chance = random.Random(20_261_123)
    whole = {"a.csv": GOOD, "a.zip": zip_of({"tides.csv": GOOD, "x/knots.csv": GOOD, "1.jpg": b"x" * 50})}
    said = []
    for attempt in range(300):
        name = ("a.csv", "a.zip", "a.zip")[attempt % 3]
        content = bytearray(whole[name])
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if chance.random() < 0.3:
            del content[chance.randrange(len(content)) :]
        (tmp_path / name).write_bytes(content)
        try:
            with exports_file.open_export(tmp_path / name) as export:
                exports_survey.survey_of(export, None, None, archive._time.now())
        except ImportFileError as error:
            said.append(str(error))
    assert 50 < len(said) < 300
    assert not any("\n" in one for one in said)
