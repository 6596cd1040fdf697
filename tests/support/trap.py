"""A proxy that is none: what would have left this machine comes here, and no further."""

from __future__ import annotations

from tests.support.upstream import Upstream, whole
from tests.transport.servers import Peer


class Trap(Upstream):
    """Notes who wanted to go where."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted: list[str] = []

    async def handle(self, peer: Peer) -> None:
        """See :class:`Upstream`."""
        head, _ = await peer.request()
        self.wanted.append(head.decode("latin-1").split("\r\n")[0])
        await peer.send(whole(b"No way out.", status=403, kind="text/plain"))

    @property
    def environment(self) -> dict[str, str]:
        """Variables that send all but loopback here."""
        proxy = self.url.removesuffix("/v1")
        return {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "127.0.0.1,localhost"}
