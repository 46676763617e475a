"""Only machines of the public network are asked, whatever a name is made to mean."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import MediaFetchError
from vfdir_lab.media.address import may_be_asked, system_resolve, target_of

PRIVATE = [
    *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "0.1.2.3"),
    *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "100::1"),
    *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:224.0.0.1", "::10.0.0.1", "::ffff:0:10.0.0.1"),
    *("2002:0a00:0001::", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::10.0.0.1"),
    *("2001:0:4136:e378:8000:63bf:f5ff:fffe", "not a number", "", "1.2.3", "127.1"),
]
LOOPBACK = ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:0001::"]
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]


@pytest.mark.parametrize("number", PRIVATE)
@pytest.mark.parametrize("loopback", [False, True])
def test_private_numbers_are_never_asked(number: str, loopback: bool) -> None:
    assert not may_be_asked(number, loopback=loopback)


@pytest.mark.parametrize("number", LOOPBACK)
def test_this_machine_is_asked_only_where_that_is_allowed(number: str) -> None:
    assert may_be_asked(number, loopback=True)
    assert not may_be_asked(number, loopback=False)


@pytest.mark.parametrize("number", PUBLIC)
def test_public_numbers_are_asked(number: str) -> None:
    assert may_be_asked(number, loopback=False)


@given(number=st.ip_addresses(v=4))
def test_wrapping_a_number_in_version_6_changes_nothing(number: ipaddress.IPv4Address) -> None:
    for wrapped in (f"::ffff:{number}", f"64:ff9b::{number}"):
        assert may_be_asked(wrapped, loopback=False) == may_be_asked(str(number), loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://host/a",
            "file:///etc/passwd",
            "data:text/plain,x",
            "javascript:alert(1)",
            "//host/a",
            "a.png",
            "",
        ),
        *(
            "http://",
            "http:///a",
            "http://name:word@host/a",
            "http://name@host/a",
            "http://host:0/",
            "gopher://h/",
        ),
        *(
            "http://host:99999/",
            "http://host:x/",
            "http://[::1",
            "http://ho st/",
            "http://host\\@other/",
            "http://a%00b/",
        ),
    ],
)
def test_what_is_no_web_address_is_refused_before_anything_is_looked_up(url: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host}:{port} was looked up")

    with pytest.raises(MediaFetchError, match="no address a file"):
        target_of(url, loopback=True, resolve=resolve)


def test_only_the_public_numbers_of_a_name_are_kept() -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["10.0.0.1", "93.184.216.34", "127.0.0.1", "2606:4700::1111"]

    target = target_of("https://Pictures.example/a b?c=d#e", loopback=False, resolve=resolve)
    assert target.numbers == ("93.184.216.34", "2606:4700::1111")
    assert asked == [("pictures.example", 443)]
    assert target.host_header == "pictures.example"
    assert target.path == "/a b?c=d"
    assert target.url_at("2606:4700::1111") == "https://[2606:4700::1111]:443/a b?c=d"


@pytest.mark.parametrize("numbers", [["10.0.0.1"], ["127.0.0.1"], ["::1", "fe80::1"], []])
def test_a_name_without_a_public_number_is_refused(numbers: list[str]) -> None:
    with pytest.raises(MediaFetchError, match="not on the public network") as raised:
        target_of("http://pictures.example/", loopback=False, resolve=lambda *_: numbers)
    assert not raised.value.is_retryable


def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror

    with pytest.raises(MediaFetchError, match=r"nobody knows where pictures\.example is") as raised:
        target_of("http://pictures.example/", loopback=False, resolve=resolve)
    assert raised.value.is_retryable
    assert raised.value.is_silent


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "[::1]"])
def test_odd_spellings_of_this_machine_are_this_machine(host: str) -> None:
    """The system's own look-up takes them for loopback, and that is what is checked."""
    with pytest.raises(MediaFetchError):
        target_of(f"http://{host}/", loopback=False, resolve=system_resolve)


def test_names_in_other_scripts_are_asked_for_as_the_network_spells_them() -> None:
    target = target_of("http://bücher.example/", loopback=False, resolve=lambda *_: ["1.1.1.1"])
    assert target.host == "xn--bcher-kva.example"


@given(url=st.one_of(st.text(max_size=40), st.text(max_size=30).map("http://{}".format)))
def test_whatever_the_address_it_is_refused_or_checked(url: str) -> None:
    try:
        target = target_of(url, loopback=False, resolve=lambda *_: ["1.1.1.1"])
    except MediaFetchError:
        return
    assert target.host.isascii()
    assert target.scheme in {"http", "https"}
