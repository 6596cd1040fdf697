"""The policy, changed over HTTP where the log speaks for it; a shadow beside it; everything at a glance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.events import PolicyChanged, ShadowSet
from tests.admin.lived import MODELS, begun, configured, teach
from tests.conftest import ACME_KEY, Start
from tests.support import gateway as gateways
from tests.support.command import answered, run
from tests.support.gateway import Gateway
from tests.support.upstream import Upstream


@pytest.fixture(scope="module")
def known(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with random routing, whose log says that "two" is good and the others are not."""
    home: Path = tmp_path_factory.mktemp("known")
    configuration = configured(shared_upstream, policy="random")
    with gateways.launched(home, configuration, ACME_KEY=ACME_KEY) as running:
        teach(running, "two", rounds=250)
        yield running


def test_a_policy_that_the_log_speaks_for_is_let_in_and_learns_from_the_past(known: Gateway) -> None:
    before = known.probabilities()
    answer = known.admin("policy", {"policy": "fixed", "parameters": {"model": "two"}})
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert (done["policy"], done["parameters"]["model"], done["judgement"]["verdict"]) == ("fixed", "two", "promote")
    assert done["judgement"]["difference"]["low"] > 0
    after = known.probabilities()
    assert after != before
    assert max(after, key=after.__getitem__) == "two"
    assert known.events(PolicyChanged)[-1].policy == "fixed"
    assert known.look("status")["policy"] == "fixed"


def test_a_policy_that_the_log_speaks_against_is_refused_with_the_figures_unless_it_is_forced(known: Gateway) -> None:
    count, before = len(known.events(PolicyChanged)), known.probabilities()
    asked = {"policy": "fixed", "parameters": {"model": "one"}}
    refused = known.admin("policy", asked)
    error = refused.json()["error"]
    assert (refused.status_code, error["param"]) == (422, "policy")
    assert "250 decisions" in error["message"]
    assert "95 %" in error["message"]
    assert (len(known.events(PolicyChanged)), known.probabilities()) == (count, before)
    forced = known.admin("policy", {**asked, "force": True})
    assert (forced.status_code, forced.json()["judgement"]) == (200, None)
    assert known.probabilities() != before
    assert known.admin("policy", {**asked, "force": True}).status_code == 422  # it is live already


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"policy": "oracle"}, "policy is called 'oracle'"),
        ({"policy": "linucb", "parameters": {"courage": 1}}, "courage"),
        ({"policy": "polyculture", "parameters": {"cap": 7}}, "cap"),
    ],
)
def test_what_there_is_not_is_refused(known: Gateway, document: dict[str, object], complaint: str) -> None:
    for action in ("policy", "shadow"):
        answer = known.admin(action, document)
        assert answer.status_code == 422, answer.text
        assert complaint in answer.json()["error"]["message"]


def test_with_too_little_to_judge_by_nothing_changes_and_a_shadow_may_learn_beside(
    start: Start, upstream: Upstream
) -> None:
    gateway = begun(start, upstream)
    teach(gateway, "one", rounds=3)
    refused = run(gateway, "router", "policy", "linucb")
    assert refused.exit_code == 1
    assert "3 decisions with feedback to judge by, which is too few" in refused.output
    done = answered(gateway, "router", "policy", "lints", "--set", "exploration=0.3", "--force")
    assert (done["policy"], done["parameters"]["exploration"]) == ("lints", 0.3)
    assert min(gateway.probabilities().values()) >= 0.1 - 1e-12
    before = gateway.probabilities()
    assert answered(gateway, "router", "shadow", "linucb", "--canary", "0.2")["version"]
    assert (gateway.look("status")["shadow"], gateway.probabilities()) == ("linucb", before)
    teach(gateway, "one", rounds=3)
    assert run(gateway, "router", "shadow").exit_code == 0
    assert gateway.look("status")["shadow"] is None
    assert [(each.policy, each.canary) for each in gateway.events(ShadowSet)] == [("linucb", 0.2), ("", 0.0)]
    assert gateway.admin("shadow", {"policy": "linucb", "canary": 0.7}).status_code == 400


def test_the_status_tells_tenant_by_tenant(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    teach(gateway, "one", rounds=3)
    teach(gateway, "two", rounds=2, key=ACME_KEY)
    assert gateway.admin("freeze", {"tenant": "acme"}).json() == {"frozen": True}
    status = answered(gateway, "router", "status")
    assert status == gateway.look("status")
    assert (status["policy"], status["frozen"], status["arms"]) == ("polyculture", False, sorted(MODELS))
    found = {each["tenant"]: (each["lessons"], each["frozen"]) for each in status["tenants"]}
    assert found == {"acme": (2, True), "default": (3, False)}
    teach(gateway, "one", rounds=1, key=ACME_KEY)
    assert {each["tenant"]: each["lessons"] for each in gateway.look("status")["tenants"]}["acme"] == 2
    shown = run(gateway, "router", "status").output
    assert all(word in shown for word in ("polyculture", "acme", "default", "exploration"))
