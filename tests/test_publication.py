"""What requests read stays what it was made to be, whatever was on its way there at that moment."""

from __future__ import annotations

from collections.abc import Callable

from gateway.fold import Fold
from gateway.publication import Hold, OpenDoor, Publication, Published, published
from tests.support.served import Served

TENANT = "default"


class Interrupted(OpenDoor):
    """A door at which something happens while a state is looked at, as another thread may do it."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], None] = lambda: None

    def admit(self, fold: Fold, tenant: str, live: Published | None) -> Published:
        found = super().admit(fold, tenant, live)
        self.meanwhile()
        return found


def test_what_was_on_its_way_to_be_published_does_not_undo_a_rollback() -> None:
    served, door = Served(), Interrupted()
    served.round()
    publication, earlier = Publication(door=door), published(served.fold, TENANT)
    served.round()
    hold = Hold(tenants=[TENANT])
    door.meanwhile = lambda: publication.hold(hold, {TENANT: earlier})
    publication.refresh(served.fold, [TENANT])
    assert publication.of(TENANT) is earlier
    door.meanwhile = lambda: None
    publication.release(served.fold, hold)
    assert publication.of(TENANT).version == served.fold.version(TENANT) != earlier.version


def test_a_hold_ends_once_the_past_was_folded_up_to_it() -> None:
    served, publication = Served(), Publication()
    served.round()
    first, second = Hold(tenants=[TENANT], until=served.fold.position), Hold(tenants=[TENANT])
    earlier = published(served.fold, TENANT)
    publication.hold(first, {TENANT: earlier})
    publication.hold(second)
    served.round()
    publication.release(served.fold)
    assert publication.of(TENANT) is earlier
    publication.release(served.fold, second)
    assert publication.of(TENANT).version == served.fold.version(TENANT) != earlier.version
