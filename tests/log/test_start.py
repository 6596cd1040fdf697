"""Starting on a long log, as kill -9 leaves it: only what came after the last saved snapshot is folded."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.archive import contents, pack
from gateway.database import connect
from gateway.fold import Fold
from gateway.history import refold, restore
from gateway.transaction import Record
from router_models import make
from tests.log import maker
from tests.log.process import serving
from tests.support.upstream import Upstream

EVENTS, BEHIND = 100_000, 2_000


def test_a_long_log_is_not_folded_again(tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path / "home", upstream=upstream.url) as gateway:
        assert gateway.chat().status_code == 200
        assert gateway.stop() == 0
    data_dir = tmp_path / "home" / "data"
    end = maker.lengthen(data_dir, by=EVENTS, behind=BEHIND)

    folded: list[int] = []
    apply = Fold.apply

    def counting(fold: Fold, record: Record) -> bool:
        folded.append(record.seq)
        return apply(fold, record)

    monkeypatch.setattr(Fold, "apply", counting)
    with connect(data_dir).connect() as connection:
        fold = restore(connection, make_policy=make)
        assert folded == list(range(end - BEHIND + 1, end + 1))
        assert pack(contents(fold)) == pack(contents(refold(connection, make_policy=make)))

    with serving(tmp_path / "home", upstream=upstream.url) as gateway:
        assert gateway.metric("polyculture_router_version") == end
        assert gateway.chat().headers["x-polyculture-router-version"] == fold.version("default")
