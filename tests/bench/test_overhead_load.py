"""The overhead benchmark's prompts, upstream, clients and checks."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from gateway.bench.overhead import mock
from gateway.bench.overhead.answers import WrongAnswer, check
from gateway.bench.overhead.gateways import KEY
from gateway.bench.overhead.load import Group, Job, LoadFailed, Outcome, percentile, run
from gateway.bench.overhead.prompts import WORDS, Prompts
from gateway.bench.process import free_port, generator, running
from router_models.artifacts import FOLDER

SECONDS = 0.3


def job(port: int, **groups: Group) -> Job:
    return Job(port=port, key=KEY, seconds=SECONDS, warm_up_s=0.1, groups=groups)


def group(connections: int = 1, *, repeat: bool = False, stream: bool = False) -> Group:
    return Group(connections=connections, models=("a", "b"), first=0, repeat=repeat, stream=stream)


def against(protocol: type[asyncio.Protocol], **groups: Group) -> Outcome:
    """What the clients see of a server that speaks ``protocol``."""

    async def session() -> Outcome:
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
        async with server:
            try:
                return await run(job(server.sockets[0].getsockname()[1], **groups))
            finally:
                await asyncio.sleep(0.02)  # the server's side of the connections closes as well

    return asyncio.run(session())


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_percentiles_of_a_known_row() -> None:
    row = [float(value) for value in range(100, 0, -1)]
    assert (percentile(row, 0.5), percentile(row, 0.99), percentile(row, 1.0)) == (50.0, 99.0, 100.0)


def test_prompts_are_64_tokens_long() -> None:
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    prompts = Prompts()
    lengths = {
        len(tokenizer.encode(prompts.text(index), add_special_tokens=False).ids) for index in range(0, 200_000, 997)
    }
    assert lengths == {64 - len(["[CLS]", "[SEP]"])}
    assert [len(words.split()) for words in WORDS.values()] == [64, 64, 64]


def test_prompts_differ_and_repeat_only_by_index_and_seed() -> None:
    prompts = Prompts()
    far = 3 * 10_000_000
    assert len({prompts.text(index) for index in [*range(5000), *range(far, far + 5000)]}) == 10_000
    assert Prompts().text(7) == prompts.text(7)
    assert Prompts(seed=1 << 20).text(7) != prompts.text(7)
    assert json.dumps(prompts.text(7)) == f'"{prompts.text(7)}"'


@pytest.mark.parametrize("connections", [1, 16])
def test_clients_measure_the_mock(connections: int) -> None:
    outcome = against(mock.Mock, all=group(connections))
    seen = outcome.figures["all"]
    assert seen.rps > 0
    assert 0 < seen.p50_ms <= seen.p99_ms
    assert seen.ttft_ms is None
    assert outcome.answered >= seen.rps * SECONDS
    assert seen.reasons[""].requests == round(seen.rps * SECONDS)


def test_clients_measure_the_first_event_of_a_stream() -> None:
    seen = against(mock.Mock, all=group(stream=True)).figures["all"]
    assert seen.ttft_ms is not None
    assert 0 < seen.ttft_ms < seen.p50_ms
    assert seen.p50_ms >= mock.EVENTS * mock.PAUSE_S * 1e3


def test_groups_work_side_by_side() -> None:
    figures = against(mock.Mock, new=group(4), again=group(repeat=True)).figures
    assert set(figures) == {"new", "again"}
    assert all(seen.rps > 0 for seen in figures.values())


class Recorder(mock.Mock):
    """The mock, keeping what it was asked and saying how it was routed."""

    asked: ClassVar[list[bytes]] = []

    def on_message_complete(self) -> None:
        self.asked.append(self._body)
        super().on_message_complete()

    def _write(self, data: bytes) -> None:
        reason = b"prior" if len(self.asked) % 2 else b"policy"
        super()._write(data.replace(b"\r\n", b"\r\nx-polyculture-reason: " + reason + b"\r\n", 1))


def test_requests_are_new_and_name_the_models_in_turn_and_reasons_are_told_apart() -> None:
    Recorder.asked.clear()
    reasons = against(Recorder, all=group()).figures["all"].reasons
    asked = [json.loads(body) for body in Recorder.asked]
    prompts = [question["messages"][0]["content"] for question in asked]
    assert len(set(prompts)) == len(prompts) > 4
    assert [question["model"] for question in asked[:4]] == ["a", "b", "a", "b"]
    assert set(reasons) == {"prior", "policy"}
    assert abs(reasons["prior"].requests - reasons["policy"].requests) <= 1


def test_a_repeating_group_asks_one_prompt() -> None:
    Recorder.asked.clear()
    against(Recorder, all=group(repeat=True))
    assert len({json.loads(body)["messages"][0]["content"] for body in Recorder.asked}) == 1


class Refusing(mock.Mock):
    def _write(self, data: bytes) -> None:
        super()._write(data.replace(b"200 OK", b"503 Service Unavailable", 1))


class HangingUp(mock.Mock):
    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.close()


class Lying(mock.Mock):
    def _write(self, data: bytes) -> None:
        super()._write(data.replace(b"second", b"fourth", 1))


class Babbling(mock.Mock):
    def _write(self, data: bytes) -> None:
        super()._write(b"no HTTP at all\r\n\r\n")


@pytest.mark.parametrize(
    ("protocol", "message"),
    [(Refusing, "status 503"), (HangingUp, "closed"), (Lying, "not the upstream's answer"), (Babbling, "not HTTP")],
)
def test_a_wrong_answer_ends_the_load(protocol: type[mock.Mock], message: str) -> None:
    with pytest.raises(LoadFailed, match=message):
        against(protocol, all=group())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"id":"x","choices":[]}', b'{"id":"x","choices":[{"message":{"content":"no"}}]}'],
)
def test_only_the_upstreams_answer_is_right(body: bytes) -> None:
    for stream in (False, True):
        with pytest.raises(WrongAnswer):
            check(200, body, stream=stream)


def test_a_stream_without_its_end_is_wrong() -> None:
    chunks = [chunk.rpartition(b"\r\n\r\n")[2] for chunk in mock.events("a")[:1]]
    with pytest.raises(WrongAnswer, match="not the upstream"):
        check(200, chunks[0], stream=True)


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    port = free_port()
    with running([sys.executable, "-m", "gateway.bench.overhead.mock", str(port)], extra={}, log=folder / "log") as it:
        assert it.first_answer_s(port=port, key=KEY, model="a") > 0
        assert it.cpu_s() > 0
        assert 1 < it.rss_mb() < 500
        yield port


def test_the_generator_does_one_job_after_another_in_its_own_process(tmp_path: Path) -> None:
    with serving(tmp_path) as port, generator() as clients:
        with pytest.raises(LoadFailed, match="ConnectionRefused"):
            clients.run(job(free_port(), all=group()))
        assert clients.run(job(port, all=group())).figures["all"].rps > 0
