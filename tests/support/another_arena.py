"""Another are.na: a small second server, written from what is known of the real one and not from the sandbox.

Owns: what is answered to which request, on a port of this machine. What is not known of are.na can be chosen
(`Ways`), so that tests show that either answer works. Its clock is set forward by whoever waits on `time`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from another_world import PERSON, AnotherWorld, Json, Ways, markdown, moment

from vfdir_lab.arena import SYSTEM_TIME, Time

TOKEN = "a-token-of-another-arena"


class AnotherArena:
    """The server; a context. `requests` has method, path and body of each; `ways` may be changed."""

    def __init__(self, ways: Ways | None = None) -> None:
        self.ways = ways or Ways()
        self.world = AnotherWorld(self.ways, self.now)
        self.requests: list[tuple[str, str, Json]] = []
        self.time = Time(now=self.now, monotonic=self._monotonic, sleep=self._wait)
        self._offset = 0.0
        self._lock = threading.Lock()
        self._later: list[tuple[datetime, Callable[[], object]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _door(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def now(self) -> datetime:
        """The time here, which is that of whoever waits on `time`."""
        return SYSTEM_TIME.now() + timedelta(seconds=self._offset)

    def writes(self) -> list[tuple[str, str, Json]]:
        """The requests that change something."""
        return [one for one in self.requests if one[0] != "GET"]

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Json) -> tuple[int, Any]:
        """Do what is asked; status and body of the answer."""
        with self._lock:
            self.requests.append((method, path, body))
            due = [act for at, act in self._later if at <= self.now()]
            self._later = [one for one in self._later if one[0] > self.now()]
            for act in due:
                act()
            for asked, expression, name in _ROUTES:
                found = re.fullmatch(expression, path)
                if asked == method and found is not None:
                    try:
                        return getattr(self, name)(
                            *map(int, found.groups()), query if method == "GET" else body
                        )
                    except KeyError:
                        break
        return 404, {"error": "Not Found", "code": 404, "details": {"message": "There is no such thing."}}

    def _monotonic(self) -> float:
        return SYSTEM_TIME.monotonic() + self._offset

    def _wait(self, seconds: float) -> None:
        self._offset += seconds

    # What can be asked

    def get_me(self, _query: Json) -> tuple[int, Json]:
        return 200, {**PERSON, "tier": "premium"}

    def get_channel(self, number: int, _query: Json) -> tuple[int, Json]:
        return 200, self.world.channel(number)

    def get_contents(self, number: int, query: dict[str, list[str]]) -> tuple[int, Json]:
        row = [self.world.links[one] for one in self.world.rows[number]]
        if query["sort"][0].startswith("created_at"):
            row.sort(key=lambda link: (link.at, link.number))
        if query["sort"][0].endswith("desc"):
            row.reverse()
        return 200, _page(
            [self.world.item(*link.item) | {"connection": self.world.link(link)} for link in row], query
        )

    def get_block(self, number: int, _query: Json) -> tuple[int, Json]:
        return 200, self.world.block(number) | {"can": {"manage": True, "comment": True, "connect": True}}

    def get_comments(self, number: int, query: dict[str, list[str]]) -> tuple[int, Json]:
        return 200, _page(self.world.comments[number], query)

    def get_connection(self, number: int, _query: Json) -> tuple[int, Json]:
        return 200, self.world.link(self.world.links[number]) | {"can": {"remove": True}}

    def get_own(self, _number: int, query: dict[str, list[str]]) -> tuple[int, Json]:
        return 200, _page([self.world.channel(one) for one in self.world.channels], query)

    def post_block(self, body: Json) -> tuple[int, Json]:
        named = {
            name: self.world.text(body.get(name), escaped=name == "description")
            for name in ("title", "description")
        }
        number = self.world.add_block(body["value"], **named, metadata=self.world.kept(body))
        at = self.now() + timedelta(seconds=self.ways.connects_after_seconds)
        for place in body["channels"]:
            self.world.rows[place["id"]]

            def connect(place: Json = place) -> None:
                self.world.connect("Block", number, place["id"], place)

            if self.ways.connects_after_seconds:
                self._later.append((at, connect))
            else:
                connect()
        return 201, self.world.block(number)

    def post_channel(self, body: Json) -> tuple[int, Json]:
        named = {
            "description": self.world.text(body.get("description"), escaped=True),
            "metadata": self.world.kept(body),
        }
        number = self.world.add_channel(self.world.text(body["title"]) or "", **named)
        return 201, self.world.channel(number)

    def post_connection(self, body: Json) -> tuple[int, Json]:
        place = body["channels"][0]
        number = self.world.connect(body["connectable_type"], body["connectable_id"], place["id"], place)
        return 201, {"data": [self.world.link(self.world.links[number])]}

    def post_move(self, number: int, body: Json) -> tuple[int, Json]:
        link = self.world.links[number]
        row = self.world.rows[link.channel]
        if body["movement"] == "insert_at":
            self.world.place(link, body["position"])
        else:
            row.remove(number)
            row.insert(len(row) if body["movement"] == "move_to_top" else 0, number)
            self.world.number(link.channel)
        return 200, self.world.link(link)

    def post_comment(self, number: int, body: Json) -> tuple[int, Json]:
        made = {
            "id": self.world.next_number(),
            "type": "Comment",
            "body": markdown(self.world.text(body["body"], escaped=True)),
            "user": PERSON,
            "created_at": moment(self.now()),
            "updated_at": moment(self.now()),
        }
        self.world.comments[number].append(made)
        return 201, made

    def put_block(self, number: int, body: Json) -> tuple[int, Json]:
        return self._change(self.world.blocks[number], body), self.world.block(number)

    def put_channel(self, number: int, body: Json) -> tuple[int, Json]:
        return self._change(self.world.channels[number], body), self.world.channel(number)

    def delete_connection(self, number: int, _body: Json) -> tuple[int, None]:
        self.world.disconnect(number)
        return 204, None

    def delete_channel(self, number: int, _body: Json) -> tuple[int, None]:
        del self.world.channels[number]
        for one in self.world.rows.pop(number):
            del self.world.links[one]
        return 204, None

    def _change(self, thing: Json, body: Json) -> int:
        for name in body.keys() & {"title", "description", "content", "visibility"}:
            thing[name] = self.world.text(body[name], escaped=name == "description")
        thing["updated_at"] = self.now()
        return 200


_NUMBER = r"(\d+)"
_ROUTES = [
    ("GET", "/v3/me", "get_me"),
    ("GET", f"/v3/channels/{_NUMBER}", "get_channel"),
    ("GET", f"/v3/channels/{_NUMBER}/contents", "get_contents"),
    ("GET", f"/v3/blocks/{_NUMBER}", "get_block"),
    ("GET", f"/v3/blocks/{_NUMBER}/comments", "get_comments"),
    ("GET", f"/v3/connections/{_NUMBER}", "get_connection"),
    ("GET", f"/v3/users/{_NUMBER}/contents", "get_own"),
    ("POST", "/v3/blocks", "post_block"),
    ("POST", "/v3/channels", "post_channel"),
    ("POST", "/v3/connections", "post_connection"),
    ("POST", f"/v3/connections/{_NUMBER}/move", "post_move"),
    ("POST", f"/v3/blocks/{_NUMBER}/comments", "post_comment"),
    ("PUT", f"/v3/blocks/{_NUMBER}", "put_block"),
    ("PUT", f"/v3/channels/{_NUMBER}", "put_channel"),
    ("DELETE", f"/v3/connections/{_NUMBER}", "delete_connection"),
    ("DELETE", f"/v3/channels/{_NUMBER}", "delete_channel"),
]


def _page(items: list[Json], query: dict[str, list[str]]) -> Json:
    page, per = int(query["page"][0]), int(query["per"][0])
    pages = -(-len(items) // per)
    meta = {
        "current_page": page,
        "per_page": per,
        "total_count": len(items),
        "total_pages": pages,
        "has_more_pages": page < pages,
    }
    return {"data": items[(page - 1) * per : page * per], "meta": meta}


def _door(arena: AnotherArena) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(arena.now().timestamp() if timestamp is None else timestamp)

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            status, said = arena.answer(self.command, url.path, parse_qs(url.query), body)
            how = "whole" if self.command == "GET" or status >= 300 else arena.ways.answers
            if how == "nothing":
                self.close_connection = True
                return
            data = b"" if said is None or how == "empty" else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names http.server calls

    return Door
