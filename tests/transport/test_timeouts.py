import math

import pytest

from gateway.transport import Timeouts


@pytest.mark.parametrize("name", ["connect", "first_byte", "idle", "total"])
@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_a_limit_must_be_a_positive_finite_time(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Timeouts(**{name: value})


def test_only_the_total_may_be_absent() -> None:
    assert Timeouts().total is None
    assert Timeouts(total=1.5).total == 1.5
