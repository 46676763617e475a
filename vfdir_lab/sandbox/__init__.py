"""A local are.na: a real HTTP server that behaves as are.na's API v3 does, for tests and for play.

Owns a whole small service with a world of its own. Stands apart: it knows nothing of the archive, and any
client of are.na v3 pointed at its address works.

    with Sandbox() as sandbox:
        bearer = {"Authorization": f"Bearer {sandbox.tokens.read}"}
        httpx.get(f"{sandbox.url}/v3/channels/tides", headers=bearer)
        sandbox.control.arm("drop_after", match="POST /v3/blocks")
"""

from vfdir_lab.sandbox.control import Control
from vfdir_lab.sandbox.server import Sandbox, serve
from vfdir_lab.sandbox.service import Tokens
from vfdir_lab.sandbox.world import World

__all__ = ["Control", "Sandbox", "Tokens", "World", "serve"]
