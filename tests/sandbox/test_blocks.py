"""Blocks: making, processing, changing, comments, metadata."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


def test_a_text_is_ready_at_once_and_rendered_three_ways(me, add):
    block = me.get(f"/blocks/{add('a **b** <script>')}").json()
    assert (block["type"], block["state"], block["title"]) == ("Text", "available", None)
    assert block["content"]["markdown"] == "a **b** <script>"
    assert block["content"]["html"] == "<p>a <strong>b</strong> &lt;script&gt;</p>"
    assert block["content"]["plain"] == "a b <script>"


def test_an_address_starts_as_a_pending_block_and_settles_after_some_readings(me, sandbox, channel):
    sandbox.control.set_processing(polls=2, seconds=1000)
    body = {"value": "https://example.org/tides", "channel_ids": ["harbour"]}
    made = me.post("/blocks", json=body).json()
    assert (made["type"], made["state"], made["source"]) == ("PendingBlock", "processing", None)
    assert "content" not in made
    assert "image" not in made
    types = [me.get(f"/blocks/{made['id']}").json()["type"] for _ in range(4)]
    assert types == ["PendingBlock", "PendingBlock", "Link", "Link"]


def test_a_pending_block_is_in_the_contents(me, sandbox, channel, contents):
    sandbox.control.set_processing(polls=1000, seconds=1000)
    me.post("/blocks", json={"value": "https://example.org/x", "channel_ids": ["harbour"]})
    assert contents()[0]["type"] == "PendingBlock"
    sandbox.control.finish_processing()
    assert contents()[0]["type"] == "Link"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://example.org/page", "Link"),
        ("https://example.org/moon.png", "Image"),
        ("https://example.org/table.csv", "Attachment"),
        ("https://vimeo.com/1", "Embed"),
        ("https://nowhere.invalid/x", "PendingBlock"),
    ],
)
def test_the_type_follows_from_the_address(me, sandbox, channel, address, kind):
    made = me.post("/blocks", json={"value": address, "channel_ids": ["harbour"], "alt_text": "alt"}).json()
    sandbox.control.finish_processing(made["id"])
    block = me.get(f"/blocks/{made['id']}").json()
    assert block["type"] == kind
    assert block["state"] == ("failed" if kind == "PendingBlock" else "available")
    if kind == "Image":
        assert block["image"]["alt_text"] == "alt"


def test_posting_answers_before_connecting(me, channel):
    me.put("/channels/harbour", json={"visibility": "private"})
    made = me.post("/blocks", json={"value": "x", "channel_ids": ["harbour"]}).json()
    assert (made["visibility"], made["can"]["comment"]) == ("public", False)
    read = me.get(f"/blocks/{made['id']}").json()
    assert (read["visibility"], read["can"]["comment"]) == ("private", True)


def test_a_block_goes_into_several_channels_with_places_and_metadata(me, channel, add, contents):
    add("below")
    me.post("/channels", json={"title": "Pier"})
    places = [{"id": "harbour", "position": 1, "metadata": {"why": "first"}}, {"id": "pier"}]
    made = me.post("/blocks", json={"value": "both", "channels": places}).json()
    assert contents()[0]["id"] == made["id"]
    assert contents()[0]["connection"]["metadata"] == {"why": "first"}
    found = me.get(f"/blocks/{made['id']}/connections").json()["data"]
    assert {one["slug"] for one in found} == {"harbour", "pier"}


@pytest.mark.parametrize(
    "places",
    [
        {},
        {"channel_ids": []},
        {"channel_ids": ["harbour"], "channels": [{"id": "harbour"}]},
        {"channel_ids": ["harbour", "harbour"], "insert_at": 1},
        {"channels": [{"id": "harbour"}], "insert_at": 1},
        {"channel_ids": ["harbour"] * 21},
        {"channels": [{}]},
        {"channel_ids": ["harbour"], "original_source_url": "not an address"},
    ],
)
def test_where_a_block_goes_must_be_said_in_one_way(me, channel, places):
    assert me.post("/blocks", json={"value": "x", **places}).status_code == 400


def test_a_block_for_a_missing_channel_is_not_made(me, sandbox, channel):
    assert me.post("/blocks", json={"value": "x", "channel_ids": ["harbour", "gone"]}).status_code == 404
    assert sandbox.control.snapshot("harbour") == []


def test_only_its_maker_may_change_a_block(me, other, add):
    block = add()
    assert other.put(f"/blocks/{block}", json={"title": "x"}).status_code == 403
    changed = me.put(f"/blocks/{block}", json={"title": "", "content": "new", "description": "d"}).json()
    assert (changed["title"], changed["content"]["plain"], changed["description"]["plain"]) == (
        "",
        "new",
        "d",
    )
    assert me.put(f"/blocks/{block}", json={"description": ""}).json()["description"] is None


def test_content_belongs_to_texts_and_alt_text_to_images(me, sandbox, channel, add):
    link = sandbox.control.add_block("harbour", "https://example.org/", kind="Link", by="sandbox-person")[
        "id"
    ]
    image = sandbox.control.add_block(
        "harbour", "https://example.org/a.png", kind="Image", by="sandbox-person"
    )["id"]
    assert me.put(f"/blocks/{link}", json={"content": "x"}).status_code == 422
    assert me.put(f"/blocks/{add()}", json={"alt_text": "x"}).status_code == 422
    assert me.put(f"/blocks/{image}", json={"alt_text": "x"}).json()["image"]["alt_text"] == "x"


def test_connecting_a_block_touches_it(me, sandbox, add):
    block = add()
    before = me.get(f"/blocks/{block}").json()["updated_at"]
    me.post("/channels", json={"title": "Pier"})
    sandbox.control.set_clock_offset(100)
    me.post(
        "/connections", json={"connectable_id": block, "connectable_type": "Block", "channel_ids": ["pier"]}
    )
    assert me.get(f"/blocks/{block}").json()["updated_at"] > before


def test_a_block_without_connections_is_an_orphan_that_can_still_be_read(me, guest, add, contents):
    block = add()
    me.delete(f"/connections/{contents()[0]['connection']['id']}")
    assert guest.get(f"/blocks/{block}").json()["visibility"] == "orphan"
    assert guest.get(f"/blocks/{block}/connections").json()["data"] == []


def test_a_block_only_in_private_channels_is_hidden(me, other, guest, add):
    block = add()
    me.put("/channels/harbour", json={"visibility": "private"})
    assert (other.get(f"/blocks/{block}").status_code, guest.get(f"/blocks/{block}").status_code) == (
        404,
        404,
    )
    assert me.get(f"/blocks/{block}").json()["visibility"] == "private"


@pytest.mark.parametrize(
    ("number", "status"), [("99", 404), ("-1", 404), ("x", 400), ("1e3", 400), ("9" * 40, 400)]
)
def test_blocks_answer_to_numbers_only(me, number, status):
    assert me.get(f"/blocks/{number}").status_code == status


def test_block_connections_filter_by_whose_channel(me, other, add):
    block = add()
    other.post("/channels", json={"title": "Theirs", "visibility": "public"})
    body = {"connectable_id": block, "connectable_type": "Block", "channel_ids": ["theirs"]}
    assert other.post("/connections", json=body).status_code == 201
    names = {}
    for wanted in ("ALL", "OWN", "EXCLUDE_OWN"):
        answer = me.get(f"/blocks/{block}/connections", params={"filter": wanted})
        names[wanted] = [one["slug"] for one in answer.json()["data"]]
    assert names == {"ALL": ["theirs", "harbour"], "OWN": ["harbour"], "EXCLUDE_OWN": ["theirs"]}


def test_comments_are_listed_counted_and_deleted_by_their_author(me, other, guest, add):
    block = add()
    assert guest.post(f"/blocks/{block}/comments", json={"body": "x"}).status_code == 401
    first = other.post(f"/blocks/{block}/comments", json={"body": "*first*"}).json()
    me.post(f"/blocks/{block}/comments", json={"body": "second"})
    listed = guest.get(f"/blocks/{block}/comments").json()["data"]
    assert [one["body"]["plain"] for one in listed] == ["first", "second"]
    assert listed[0]["_links"]["self"]["href"].endswith(f"/v3/blocks/{block}/comments")
    assert me.get(f"/blocks/{block}").json()["comment_count"] == 2
    assert me.delete(f"/comments/{first['id']}").status_code == 403
    assert other.delete(f"/comments/{first['id']}").status_code == 204
    assert other.delete(f"/comments/{first['id']}").status_code == 404
    assert me.post(f"/blocks/{block}/comments", json={}).status_code == 400


def test_metadata_merges_and_null_removes(me, add):
    block = add(metadata={"a": 1, "b": "two", "c": True})
    merged = me.put(f"/blocks/{block}", json={"metadata": {"a": None, "b": 2.5, "d": "new"}}).json()
    assert merged["metadata"] == {"b": 2.5, "c": True, "d": "new"}
    emptied = me.put(f"/blocks/{block}", json={"metadata": dict.fromkeys("bcd")}).json()
    assert emptied["metadata"] is None


@pytest.mark.parametrize(
    "metadata",
    [
        {f"k{n}": n for n in range(51)},
        {"k" * 41: 1},
        {"with space": 1},
        {"": 1},
        {"k": "x" * 2001},
        {"k": [1]},
        {"k": {"deep": 1}},
        {"k": None},
        [],
    ],
)
def test_metadata_has_limits(me, channel, metadata):
    body = {"value": "x", "channel_ids": ["harbour"], "metadata": metadata}
    assert me.post("/blocks", json=body).status_code == 400


def test_metadata_limits_hold_after_a_merge_too(me, add):
    block = add(metadata={f"k{n}": n for n in range(50)})
    assert me.put(f"/blocks/{block}", json={"metadata": {"one_more": 1}}).status_code == 400
    big = {f"b{n}": "x" * 2000 for n in range(17)}
    assert me.put(f"/blocks/{add()}", json={"metadata": big}).status_code == 400


def test_an_uploaded_picture_becomes_an_image_with_its_bytes(me, bare, sandbox, channel):
    asked = {"files": [{"filename": "a b,c.png", "content_type": "image/png"}]}
    file = me.post("/uploads/presign", json=asked).json()["files"][0]
    wrong = bare.put(file["upload_url"], content=PNG, headers={"Content-Type": "text/plain"})
    right = bare.put(file["upload_url"], content=PNG, headers={"Content-Type": "image/png"})
    assert (wrong.status_code, right.status_code) == (403, 200)
    value = "https://s3.amazonaws.com/arena_images-temp/" + quote_plus(file["key"])
    made = me.post("/blocks", json={"value": value, "channel_ids": ["harbour"]}).json()
    sandbox.control.finish_processing()
    block = me.get(f"/blocks/{made['id']}").json()
    assert (block["type"], block["title"]) == ("Image", "a b,c.png")
    assert (block["image"]["width"], block["image"]["height"]) == (1, 1)
    served = bare.get(block["image"]["src"])
    assert (served.content, served.headers["content-type"]) == (PNG, "image/png")
    for size in ("small", "medium", "large", "square"):
        assert bare.get(block["image"][size]["src_2x"]).content == PNG


def test_an_uploaded_file_becomes_an_attachment_and_the_bare_key_works_too(me, bare, sandbox, channel):
    asked = {"files": [{"filename": "notes.txt", "content_type": "text/plain"}]}
    file = me.post("/uploads/presign", json=asked).json()["files"][0]
    bare.put(file["upload_url"], content=b"0123456789", headers={"Content-Type": "text/plain"})
    value = "https://s3.amazonaws.com/arena_images-temp/" + file["key"]
    made = me.post("/blocks", json={"value": value, "channel_ids": ["harbour"]}).json()
    sandbox.control.finish_processing()
    attachment = me.get(f"/blocks/{made['id']}").json()["attachment"]
    assert (attachment["filename"], attachment["file_size"]) == ("notes.txt", 10)
    part = bare.get(attachment["url"], headers={"Range": "bytes=4-"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"456789", "bytes 4-9/10")
    assert bare.get(attachment["url"], headers={"Range": "bytes=10-"}).status_code == 416


def test_an_upload_without_its_file_fails_and_an_old_address_is_refused(me, bare, sandbox, channel):
    asked = {"files": [{"filename": "x.png", "content_type": "image/png"}]}
    file = me.post("/uploads/presign", json=asked).json()["files"][0]
    value = "https://s3.amazonaws.com/arena_images-temp/" + quote_plus(file["key"])
    made = me.post("/blocks", json={"value": value, "channel_ids": ["harbour"]}).json()
    sandbox.control.finish_processing()
    assert me.get(f"/blocks/{made['id']}").json()["state"] == "failed"
    sandbox.control.set_clock_offset(4000)
    late = bare.put(file["upload_url"], content=PNG, headers={"Content-Type": "image/png"})
    assert late.status_code == 403


def test_a_seeded_block_in_processing_stays_so_and_tells_no_source(visit, library):
    me = visit("read")
    number = next(block.id for block in library.world.blocks.values() if block.kind == "PendingBlock")
    for _ in range(6):
        block = me.get(f"/blocks/{number}").json()
        assert (block["type"], block["state"], block["source"]) == ("PendingBlock", "processing", None)


def test_an_address_is_stored_with_odd_characters_encoded(me, sandbox, channel):
    body = {"value": "https://example.org/a|b<c>é", "channel_ids": ["harbour"]}
    made = me.post("/blocks", json=body).json()
    sandbox.control.finish_processing()
    assert me.get(f"/blocks/{made['id']}").json()["source"]["url"] == "https://example.org/a%7Cb%3Cc%3E%C3%A9"


@pytest.mark.parametrize(
    "value", ["http://[x", "https://", "http:// x", "see https://example.org/", "ftp://x.org/"]
)
def test_what_is_not_quite_an_address_stays_text(me, channel, value):
    made = me.post("/blocks", json={"value": value, "channel_ids": ["harbour"]}).json()
    assert (made["type"], made["content"]["markdown"]) == ("Text", value)
