"""The service: from a request to an answer.

Owns the order of things: find the person behind the token, count against the limit, check the scope, run the
endpoint, add caching and rate headers. Guarantees that every refusal becomes an are.na-shaped answer and that
one request at a time touches the world. Leaves HTTP itself to `doors`, what an endpoint does to `routes_*`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from vfdir_lab.sandbox.access import Access, Scope, Viewer
from vfdir_lab.sandbox.answers import Answer, Json, Refusal, error_answer, page_answer, with_caching
from vfdir_lab.sandbox.index import Index
from vfdir_lab.sandbox.limits import RateLimits
from vfdir_lab.sandbox.processing import Processing
from vfdir_lab.sandbox.validation import Body, Query, parse_json
from vfdir_lab.sandbox.wire import Wire

if TYPE_CHECKING:
    from vfdir_lab.sandbox.records import Block, Channel, Connection, Person
    from vfdir_lab.sandbox.world import World

INDEX_LAG_SECONDS = 1.0
Needs = Literal["nothing", "read", "write"]
_Item = TypeVar("_Item", bound="Block | Channel")
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Bearer tokens: `write` and `read` of the main person, `other` of another person, with write scope."""

    write: str
    read: str
    other: str

    @classmethod
    def fresh(cls) -> Tokens:
        """Tokens nobody can guess."""
        return cls(**{kind: f"sandbox-{kind}-{secrets.token_hex(16)}" for kind in ("write", "read", "other")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the service sees it. `ids` are the parts of the path that name things."""

    method: str
    path: str
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""


class Service:
    """One are.na: a world and everything that answers for it."""

    def __init__(self, world: World, tokens: Tokens, rate_limits: Mapping[str, int] | None = None) -> None:
        self.world = world
        self.clock = world.clock
        self.tokens = tokens
        self.limits = RateLimits(world.clock, rate_limits)
        self.index = Index(world, INDEX_LAG_SECONDS)
        self.processing = Processing(world)
        self.base = ""
        self.hidden_status = 404

    def viewer(self, authorization: str | None) -> Viewer:
        """Who is asking; a token nobody has is refused."""
        if authorization is None:
            return Viewer()
        scheme, _, token = authorization.partition(" ")
        known: dict[str, tuple[str, Scope, str]] = {
            self.tokens.write: (self.world.main, "write", "write"),
            self.tokens.read: (self.world.main, "read", "read"),
            self.tokens.other: (self.world.other, "write", "other"),
        }
        if scheme.lower() != "bearer" or token.strip() not in known:
            raise Refusal(401)
        slug, scope, kind = known[token.strip()]
        return Viewer(person=self.world.who(slug), scope=scope, kind=kind)

    def perform(self, endpoint: Endpoint, request: Request) -> Answer:
        """Answer one request, completely."""
        with self.world.lock:
            try:
                viewer = self.viewer(request.headers.get("authorization"))
                bad_token = None
            except Refusal as refusal:
                viewer, bad_token = Viewer(), refusal
            tier = viewer.person.tier if viewer.person else "guest"
            wait = self.limits.count(str(viewer.person_id or request.client), tier)
            if wait is not None:
                answer = self.limits.refusal(tier, wait)
            elif bad_token:
                answer = error_answer(bad_token.status, bad_token.message)
            else:
                answer = self._run(endpoint, request, viewer)
            answer = with_caching(
                answer,
                method=request.method,
                is_guest=viewer.person is None,
                if_none_match=request.headers.get("if-none-match"),
            )
            rate = {} if answer.status == 204 else self.limits.headers(tier)
            return Answer(status=answer.status, body=answer.body, headers=answer.headers | rate)

    def _run(self, endpoint: Endpoint, request: Request, viewer: Viewer) -> Answer:
        try:
            _demand_token(endpoint, viewer)
            self.processing.settle()
            return endpoint.act(Call(self, request, viewer))
        except Refusal as refusal:
            return error_answer(refusal.status, refusal.message, refusal.errors)


class Call:
    """One request on its way through an endpoint, with what endpoints ask for most."""

    def __init__(self, service: Service, request: Request, viewer: Viewer) -> None:
        self.service = service
        self.world = service.world
        self.viewer = viewer
        self.access = Access(service.world, viewer)
        self.wire = Wire(service.world, viewer, service.base)
        self.query = Query(request.query)
        self._request = request

    @property
    def name(self) -> str:
        """The number or slug in the path."""
        return self._request.ids["id"]

    @property
    def number(self) -> int:
        """The number in the path; anything else is a bad request."""
        return Query([("id", self.name)]).integer("id") or 0

    @property
    def me(self) -> Person:
        """The asking person; a guest is refused."""
        if self.viewer.person is None:
            raise Refusal(401)
        return self.viewer.person

    def body(self) -> Body:
        """The request's JSON object."""
        return Body(parse_json(self._request.body))

    def channel(self, name: str | int | None = None) -> Channel:
        """A channel the viewer may see: the one in the path, or the one named."""
        channel = self.world.channel(self.name if name is None else name)
        return self.seen(channel)

    def block(self, number: int | None = None) -> Block:
        """A block the viewer may see: the one in the path, or the one numbered."""
        return self.seen(self.world.blocks.get(self.number if number is None else number))

    def seen(self, item: _Item | None) -> _Item:
        """The thing itself if the viewer may see it; a refusal if it is missing or hidden."""
        if item is None:
            raise Refusal(404)
        if not self.access.sees(item):
            raise Refusal(404 if self.viewer.person is None else self.service.hidden_status)
        return item

    def connection(self) -> Connection:
        """The connection in the path, if the viewer may see its channel and its item."""
        connection = self.world.connections.get(self.number)
        if connection is None:
            raise Refusal(404)
        self.seen(self.world.channels[connection.channel_id])
        self.seen(self.world.item(connection.item))
        return connection

    def person(self) -> Person:
        """The person in the path."""
        person = self.world.person(self.name)
        if person is None:
            raise Refusal(404)
        return person

    @staticmethod
    def demand(*, may: bool) -> None:
        """Refuse with a 403 unless the viewer may."""
        if not may:
            raise Refusal(403)

    def page_of(self, items: Sequence[_Row], shape: Callable[[_Row], Json]) -> Answer:
        """The page that was asked for."""
        page, per = self.query.page()
        chosen = items[(page - 1) * per : page * per]
        return page_answer([shape(item) for item in chosen], page=page, per=per, total=len(items))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API: what it answers to, what it does, and what token it needs."""

    method: str
    path: str
    act: Callable[[Call], Answer]
    needs: Needs = "nothing"


def _demand_token(endpoint: Endpoint, viewer: Viewer) -> None:
    if endpoint.needs != "nothing" and viewer.person is None:
        raise Refusal(401)
    if endpoint.needs == "write" and viewer.scope != "write":
        raise Refusal(403, "This action requires a token with the write scope.")


def nowhere(_call: Call) -> Answer:
    """Answer for every path that the API does not have."""
    raise Refusal(404)
