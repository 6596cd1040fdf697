"""Whatever an upstream sends, in whatever pieces: a response or a TransportError, and nothing leaks."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transport import Client, Origin, Stats, Timeouts, TransportError

from .conftest import LOOPS, watched
from .samples import Sample, samples, split
from .servers import Peer, serving

CUTS = st.lists(st.integers(0, 2000), max_size=6)


Headers = list[tuple[bytes, bytes]]
Result = tuple[int, Headers | TransportError, bytes]


async def ask(client: Client, origin: Origin, timeouts: Timeouts) -> Result:
    """The status (0: no head came), the headers or what went wrong, and the body as far as it came."""
    got = b""
    try:
        response = await client.request(b"GET", origin, b"/", [], timeouts=timeouts)
    except TransportError as error:
        return 0, error, got
    try:
        async for piece in response.chunks():
            assert piece
            got += piece
    except TransportError as error:
        return response.status, error, got
    return response.status, response.headers, got


async def exchange(pieces: list[bytes], *, close: bool, timeouts: Timeouts) -> tuple[Result, Stats]:
    """Ask a server that answers with `pieces`; also tell how the connection ended up."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(*pieces)
        if not close:
            await peer.gone()

    async with serving(handler) as server:
        async with Client() as client:
            result = await ask(client, server.origin, timeouts)
            stats = client.stats()
        await server.all_gone()
        assert server.taken == 1
    return result, stats


@pytest.mark.parametrize("loop", sorted(LOOPS))
@settings(max_examples=60, deadline=None)
@given(sample=samples(), cuts=CUTS)
def test_valid_responses_in_any_pieces(loop: str, sample: Sample, cuts: list[int]) -> None:
    pieces = split(sample.wire, cuts)
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        result, stats = runner.run(watched(exchange(pieces, close=sample.ends, timeouts=Timeouts())))
    assert result == (sample.status, sample.headers, sample.body)
    assert stats.in_use == 0
    assert stats.idle == (1 if sample.kept else 0)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid response with a few bytes changed, removed, doubled, or its end cut off."""
    data = draw(samples()).wire
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        middle = draw(st.one_of(st.binary(max_size=4), st.just(data[start:end] * 2), st.sampled_from(
            [b"\r\n", b"\n", b"\r", b"\0", b"0\r\n\r\n", b"HTTP/1.1 ", b": ", b"ffffffff", b"Content-Length: 1\r\n"]
        )))  # fmt: skip
        data = data[:start] + middle + data[end:]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


@pytest.mark.parametrize("loop", sorted(LOOPS))
@settings(max_examples=150, deadline=None)
@given(data=mutated(), cuts=CUTS)
def test_broken_responses_from_a_server_that_then_closes(loop: str, data: bytes, cuts: list[int]) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        (status, _, _), stats = runner.run(
            watched(exchange(split(data, cuts), close=True, timeouts=Timeouts(total=20)))
        )
    assert status in (0, *range(200, 600))
    assert stats.in_use == 0


@pytest.mark.parametrize("loop", sorted(LOOPS))
@settings(max_examples=25, deadline=None)
@given(data=mutated(), cuts=CUTS)
def test_broken_responses_from_a_server_that_then_hangs(loop: str, data: bytes, cuts: list[int]) -> None:
    hasty = Timeouts(first_byte=0.02, idle=0.02)
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        (status, _, _), stats = runner.run(watched(exchange(split(data, cuts), close=False, timeouts=hasty)))
    assert status in (0, *range(200, 600))
    assert stats.in_use == 0
