"""are.na's export files, made for the tests: CSVs and zips as its site gives them."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx

from vfdir_lab.archive import Archive
from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sync.exports import import_export
from vfdir_lab.sync.exports_report import ImportReport

HEADER = ("ID", "Filename", "Title", "Description", "Created At", "Updated At", "Source")


def csv_of(rows: Iterable[Mapping[str, object]], columns: Iterable[str] = HEADER, **dialect: object) -> bytes:
    """A CSV with these rows; cells that a row does not have are empty."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), restval="", **{"lineterminator": "\n"} | dialect)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """A zip with these files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return data.getvalue()


def row(block: int, title: str = "", updated: str = "2024-05-01T10:00:00Z", **more: str) -> dict[str, object]:
    """A row as are.na writes it, in short."""
    cells = {"ID": block, "Title": title, "Created At": "2020-01-31 12:00:00 UTC", "Updated At": updated}
    return cells | {key.title(): value for key, value in more.items()}


def exported(sandbox: Sandbox, channel: int | str) -> list[dict[str, object]]:
    """What are.na's export of a channel says: its blocks, in the channel's order."""
    headers = {"Authorization": f"Bearer {sandbox.tokens.read}"}
    asked = {"per": 100, "sort": "position_desc"}
    with httpx.Client(base_url=sandbox.url, headers=headers) as client:
        items = client.get(f"/v3/channels/{channel}/contents", params=asked).json()["data"]
    return [
        {
            "ID": item["id"],
            "Filename": (item.get("image") or item.get("attachment") or {}).get("filename", ""),
            "Title": item["title"] or "",
            "Description": (item["description"] or {}).get("markdown", ""),
            "Created At": item["created_at"].replace("T", " ").replace("Z", " UTC"),
            "Updated At": item["updated_at"].replace("T", " ").replace("Z", " UTC"),
            "Source": (item["source"] or {}).get("url", ""),
        }
        for item in items
        if item.get("base_type") == "Block"
    ]


def take_in(archive: Archive, path: Path, content: bytes | None = None, **options: object) -> ImportReport:
    """Import the file at `path`, which is made to hold `content` first."""
    if content is not None:
        path.write_bytes(content)
    return import_export(archive.log, archive.engine, path, **options)  # type: ignore[arg-type]


def facts(archive: Archive, where: str = "true") -> list[dict]:
    """The events of the log, payloads as dictionaries."""
    rows = archive.engine.arrow(f"SELECT * FROM events WHERE {where} ORDER BY hlc, device, seq").to_pylist()
    return [one | {"payload": json.loads(one["payload"])} for one in rows]


def blocks(archive: Archive) -> dict[str, dict]:
    """The table `blocks`, by object id."""
    return {one["object_id"]: one for one in archive.engine.arrow("SELECT * FROM blocks").to_pylist()}
