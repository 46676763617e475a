"""The token in the machine's own keyring, for those who do not want it in their environment.

Owns: under which name a token is kept (service `vfdir_lab`, user: are.na's address), and every call of the
`keyring` library, which is imported when it is first needed.
Guarantees: a token is in no file of ours and in no message. Where there is no keyring, reading finds nothing;
one that refuses is an error, so that nobody becomes a guest unawares.
Leaves to others: whether a token is any good (`client`), what goes before the keyring (`vfdir_lab.archive`).
Checked by: `tests/cli/test_authing.py`.
"""

from __future__ import annotations

from vfdir_lab.errors import KeyringRefusedError

SERVICE = "vfdir_lab"


def kept_token(api_url: str) -> str:
    """The token that is kept for this address; empty where there is none, or no keyring.

    Raises:
        KeyringRefusedError: there is a keyring, and it does not answer (it may be locked).
    """
    try:
        import keyring  # noqa: PLC0415 - a quarter of a second, and many never need it
        from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415
    except ModuleNotFoundError:
        return ""
    try:
        return keyring.get_password(SERVICE, _user(api_url)) or ""
    except NoKeyringError:
        return ""
    except (KeyringError, OSError) as error:
        raise KeyringRefusedError(
            "this machine's keyring does not give the token "
            f"({type(error).__name__}): unlock it, or set ARENA_TOKEN (empty: as a guest)"
        ) from error


def keep_token(api_url: str, token: str) -> None:
    """Keep a token for this address, instead of the one that was kept.

    Raises:
        KeyringRefusedError: there is no keyring, or it refuses.
    """
    try:
        import keyring  # noqa: PLC0415 - as above
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise KeyringRefusedError(f"the token was not kept: no keyring is installed; {_INSTEAD}") from None
    refused = ""
    try:
        keyring.set_password(SERVICE, _user(api_url), token)
    except (KeyringError, OSError) as error:
        refused = type(error).__name__
    # Raised out here, since a back end may put into its exception what it was given.
    if refused:
        raise KeyringRefusedError(
            f"the token was not kept: this machine's keyring refuses ({refused}); {_INSTEAD}"
        )


def forget_token(api_url: str) -> bool:
    """Forget the token of this address; whether there was one.

    Raises:
        KeyringRefusedError: the keyring refuses.
    """
    if not kept_token(api_url):
        return False
    import keyring  # noqa: PLC0415 - as above
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        keyring.delete_password(SERVICE, _user(api_url))
    except (KeyringError, OSError) as error:
        raise KeyringRefusedError(
            f"the token is still kept: this machine's keyring refuses ({type(error).__name__}); "
            f"remove {SERVICE!r} with the keyring's own program"
        ) from error
    return True


_INSTEAD = "set ARENA_TOKEN instead"


def _user(api_url: str) -> str:
    return api_url.rstrip("/")
