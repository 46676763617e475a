"""The token's way: which addresses are fit for it, and that no redirect leads it astray."""

from __future__ import annotations

import pytest

from vfdir_lab.arena import ArenaClient
from vfdir_lab.arena.address import host_of, redirected
from vfdir_lab.errors import ArenaNetworkError, ArenaServerError, UsageError


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.are.na",
        "ftp://api.are.na",
        "https://",
        "https://user:pass@api.are.na",
        "https://api.are.na/v3",
        "https://api.are.na?x=1",
        "https://api.are.na#x",
        "https://api.are.na:99999",
        "https://[::1",
        "https://ärena.example",
        "https://a b.example",
    ],
)
def test_what_is_no_plain_address_is_refused(address):
    with pytest.raises(UsageError, match=r"address of are\.na"):
        ArenaClient("", address)


@pytest.mark.parametrize(
    "address", ["http://api.are.na", "http://10.0.0.1:80", "http://localhost.example", "http://128.0.0.1"]
)
def test_a_token_is_never_sent_unencrypted_to_another_machine(address, token):
    with pytest.raises(UsageError, match="never sent unencrypted") as caught:
        ArenaClient(token, address)
    assert token not in str(caught.value)
    ArenaClient("", address).close()


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://api.are.na/", "https://api.are.na"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.9.9.9:1/", "http://127.9.9.9:1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_token_may_go_encrypted_anywhere_and_plainly_to_this_machine(address, kept, token):
    with ArenaClient(token, address) as client:
        assert client.base_url == kept


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_are_na_is_followed_with_the_token(server, connect, token, status):
    server.say(server.json({}, status, Location="/v3/blocks/2?x=1"), server.json({"id": 2}))
    client = connect(token)
    assert client.block(1) == {"id": 2}
    assert server.targets == ["/v3/blocks/1", "/v3/blocks/2?x=1"]
    assert [heard.headers["authorization"] for heard in server.heard] == [f"Bearer {token}"] * 2
    assert client.requests == 2


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://evil.example/v3/blocks/1", "evil.example"),
        ("//evil.example/v3/blocks/1", "evil.example"),
        ("http://127.0.0.1:1/", "127.0.0.1"),
        ("http://user@127.0.0.1/", "127.0.0.1"),
        ("http://127.0.0.1:{port}@evil.example/", "evil.example"),
        ("http://u:p@127.0.0.1:{port}/", "127.0.0.1"),
        ("https://127.0.0.1:{port}/", "127.0.0.1"),
    ],
)
def test_a_redirect_elsewhere_is_named_and_not_followed(server, connect, token, location, host):
    server.always(server.json({}, 302, Location=location.format(port=server.port)))
    with pytest.raises(
        ArenaServerError, match="redirected to another place, " + host.replace(".", r"\.")
    ) as caught:
        connect(token).block(1)
    assert len(server.heard) == 1
    assert (caught.value.status, caught.value.path) == (302, "/v3/blocks/1")


def test_redirects_in_a_circle_end_after_three(server, client):
    server.always(server.json({}, 302, Location="/v3/blocks/1"))
    with pytest.raises(ArenaServerError, match="more than 3 times"):
        client.block(1)
    assert client.requests == 4


def test_a_redirect_to_nowhere_is_not_are_nas_answer(server, connect):
    server.always(server.json({}, 302))
    with pytest.raises(ArenaServerError, match="302"):
        connect(attempts=1).block(1)


@pytest.mark.parametrize("location", ["javascript:alert(1)", "http://[::1", "/v3/" + "x" * 70_000])
def test_a_redirect_to_an_address_that_cannot_be_asked_fails_typed(server, connect, location):
    server.always(server.json({}, 302, Location=location))
    with pytest.raises((ArenaServerError, ArenaNetworkError)):
        connect(attempts=1).block(1)
    assert len(server.heard) == 1


def test_a_redirects_target_is_always_below_our_own_base():
    base = "https://api.are.na"
    assert redirected(base, base + "/v3/me", "https://api.are.na:443") == base + "/"
    assert redirected(base, base + "/v3/me", "//API.ARE.NA//evil.example/x") == base + "//evil.example/x"
    assert redirected(base, base + "/v3/me", "https://api.are.na\\@evil.example/") is None
    assert redirected(base, base + "/v3/me", "http://[::1") is None
    assert [host_of(base, to) for to in ("/v3", "mailto:x", "http://[::1")] == [
        "api.are.na",
        "nowhere",
        "a malformed address",
    ]


def test_no_proxy_carries_what_is_meant_for_this_machine(server, connect, token, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.always(server.json({}))
    assert connect(token).block(1) == {}


def test_a_proxy_that_cannot_be_used_is_a_matter_of_usage_and_its_password_stays_hidden(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://me:hunter2@proxy.example")
    with pytest.raises(UsageError, match="proxy") as caught:
        ArenaClient("", "https://api.are.na")
    assert "hunter2" not in str(caught.value)


def test_netrc_adds_nothing(server, client, tmp_path, monkeypatch):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    server.always(server.json({}))
    client.block(1)
    assert "authorization" not in server.heard[0].headers


def test_cookies_are_not_kept(server, client):
    server.always(server.json({}, Set_Cookie="session=1; Path=/"))
    client.block(1)
    client.block(2)
    assert "cookie" not in server.heard[1].headers
