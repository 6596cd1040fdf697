"""The demo: its prompts, its scores, its findings, and a short run of real gateways with the light specialists."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from text_to_num import alpha2digit

from gateway.bench.demo import findings, plot, report, scores
from gateway.bench.demo.command import demo
from gateway.bench.demo.gateway import installed
from gateway.bench.demo.material import material
from gateway.bench.demo.mix import DECK, mixed
from gateway.bench.demo.plan import Plan, run
from gateway.bench.demo.session import Outcome, Session
from gateway.bench.demo.sums import spelled, sum_question
from gateway.bench.demo.tasks import MAKERS
from gateway.config import parse

SEEDS = st.integers(0, 2**32)
LIGHT = ("sums", "reviews", "units")


def plan(**fields: object) -> Plan:
    given = {"requests": 12, "seed": 1, "models": installed(), "swap": ("mathematics", "sentiment"), "frozen": True}
    return Plan(**{**given, **fields})  # type: ignore[arg-type]


def outcomes(*values: float, model: str = "a", kind: str = "sums") -> list[Outcome]:
    return [Outcome(kind=kind, model=model, score=value) for value in values]


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("19", 1.0),
        ("12 + 7 = 19", 1.0),
        ("The result is 19.0, of course.", 1.0),
        ("12 plus 7 is 20, and 19 is less than 21.", 0.0),
        ("12 and 7", 0.0),
        ("It is nineteen", 0.0),
        ("", 0.0),
    ],
)
def test_a_number_counts_when_the_answer_comes_to_it(answer: str, score: float) -> None:
    assert scores.number(answer, right=19, prompt="What is 12 + 7?") == score


def test_a_result_that_stands_in_the_prompt_may_be_repeated() -> None:
    assert scores.number("6", right=6, prompt="What is 12 - 6?") == 1.0
    assert scores.number("12 - 6 = 6", right=6, prompt="What is 12 - 6?") == 1.0


def test_numbers_are_read_with_commas_signs_and_points() -> None:
    assert scores.numbers("From -3 to 1,234.5 in 7.") == [-3.0, 1234.5, 7.0]
    assert scores.number("8.05 km", right=8.04672, tolerance=0.01) == 1.0
    assert scores.number("8.3 km", right=8.04672, tolerance=0.01) == 0.0


def test_a_label_must_stand_alone() -> None:
    assert scores.label("Positive (score +0.9)", right="positive", wrong=["negative"]) == 1.0
    assert scores.label("It is positive and negative", right="positive", wrong=["negative"]) == 0.0
    assert scores.label("unpositive", right="positive", wrong=["negative"]) == 0.0


@pytest.mark.parametrize(
    ("answer", "names", "score"),
    [
        ("This is JavaScript.", ["Java"], 0.0),
        ("java", ["Java"], 1.0),
        ("C++", ["C"], 0.0),
        ("a c b", ["C"], 0.0),
        ("C (confidence 98%)", ["C"], 1.0),
        ("It is Bash", ["bash", "shell"], 1.0),
    ],
)
def test_a_name_is_a_whole_word(answer: str, names: list[str], score: float) -> None:
    assert scores.name(answer, names=names) == score


def test_a_summary_is_shorter_faithful_and_names_what_matters() -> None:
    text = "The council voted to build a bridge. Traffic has doubled there. People fear noise. Work begins in May."
    keys = ["council", "bridge", "traffic"]
    assert scores.summary("The council voted to build a bridge.", text=text, keys=keys) == pytest.approx(2 / 3)
    assert scores.summary("The council builds a bridge since traffic doubled.", text=text, keys=keys) == 1.0
    assert scores.summary(text, text=text, keys=keys) == 0.0
    assert scores.summary("Council bridge traffic, wonderful modern architecture", text=text, keys=keys) == 0.0
    assert scores.summary("", text=text, keys=keys) == 0.0


def test_a_correction_has_the_right_word_and_not_the_wrong_one() -> None:
    pairs = {"right": ["received", "friend"], "wrong": ["recieved", "freind"]}
    assert scores.correction("Received by a friend", **pairs) == 1.0
    assert scores.correction("Received by a freind", **pairs) == 0.5
    assert scores.correction("recieved means received, friend", **pairs) == 0.5


def test_an_open_answer_is_fluent_and_on_its_topic() -> None:
    fluent = "A train is a fine way to travel because you can look out, read, sleep and still arrive rested."
    assert scores.fluent(fluent, topic="trains") == 1.0
    assert scores.fluent(fluent, topic="the sea") == 0.5
    assert scores.fluent("A train.", topic="trains") == 0.0
    assert scores.fluent("train " * 40, topic="trains") == 0.0
    assert scores.fluent(f"I only convert units. {fluent}", topic="trains") == 0.0


@given(st.integers(0, 999))
def test_numbers_in_words_are_english(number: int) -> None:
    assert alpha2digit(spelled(number), "en", 0) == str(number)


@given(SEEDS)
def test_results_of_sums_follow_from_their_signs(seed: int) -> None:
    question, result = sum_question(Random(seed))
    formula = re.search(r"\d[\d\s+*/()-]*\d", question)
    if formula and re.search(r"[+*/]| - ", formula.group()):
        text = formula.group() if "(" not in question else question[question.index("(") :].rstrip(".?")
        assert eval(text) == result


@given(SEEDS, st.sampled_from(sorted(MAKERS)))
def test_makers_draw_from_their_generator_alone_and_fill_every_slot(seed: int, kind: str) -> None:
    task, again = MAKERS[kind](Random(seed)), MAKERS[kind](Random(seed))
    assert (task.prompt, task.kind) == (again.prompt, kind)
    assert not re.search(r"\{(thing|review|text|town|day|month|number|code|question|topic)\}|\w\|\w", task.prompt)
    assert not {"NAME", "WORD"} & set(re.findall(r"\w+", task.prompt))


@given(SEEDS, st.sampled_from(sorted(MAKERS)))
def test_refusals_and_echoes_earn_nothing(seed: int, kind: str) -> None:
    task = MAKERS[kind](Random(seed))
    assert task.score("") == task.score("I only do mathematics, and I found nothing to work out here.") == 0.0
    if kind in ("reviews", "texts", "spelling"):
        assert task.score(task.prompt) == 0.0


@given(SEEDS)
def test_every_deck_has_the_same_mix(seed: int) -> None:
    size = sum(DECK.values())
    tasks = mixed(3 * size + 5, seed=seed)
    decks = [Counter(task.kind for task in tasks[start : start + size]) for start in range(0, 3 * size, size)]
    assert decks == [Counter(DECK)] * 3
    assert len(tasks) == 3 * size + 5
    assert len({task.prompt for task in tasks}) == len(tasks)
    assert [task.prompt for task in tasks] == [task.prompt for task in mixed(len(tasks), seed=seed)]


def test_more_prompts_than_there_are_different_ones_come_all_the_same() -> None:
    assert len(mixed(600, seed=1, kinds=["chat"])) == 600


def test_every_summary_key_stands_in_its_story() -> None:
    for story in material().texts.subjects:
        known = scores.words(" ".join(story.sentences))
        assert set(story.keys) <= set(known)
        assert len(story.sentences) >= 5


@given(st.lists(st.floats(0, 1), min_size=6))
def test_thirds_are_the_whole_in_order(values: list[float]) -> None:
    first, middle, last = findings.thirds(values)
    assert first + middle + last == values
    assert len(first) == len(last) <= len(middle) + 2


def test_a_gain_is_clear_when_it_exceeds_the_noise() -> None:
    rising = findings.scenario(outcomes(*[0.0, 1.0] * 30, *[0.5] * 60, *[1.0] * 60))
    level = findings.scenario(outcomes(*[0.0, 1.0] * 90))
    assert rising["gain"] == 0.5
    assert rising["gain_interval"][0] > 0
    assert level["gain"] == 0.0
    assert level["gain_interval"][0] < 0 < level["gain_interval"][1]


def test_bars_compare_with_the_best_model_alone() -> None:
    early, late = outcomes(*[0.0] * 10, *[0.5] * 10, model="a"), outcomes(*[0.8, 0.9] * 5, model="b")
    rising = findings.scenario(early + late)
    singles = {"a": findings.single(outcomes(*[0.5] * 30)), "b": findings.single(outcomes(*[0.7] * 30))}
    judged = findings.bars(singles, {"learning": rising, "swapped": rising, "frozen": rising})
    assert judged["learning: last third above the best single model"] == {
        "value": pytest.approx(0.85),
        "bar": pytest.approx(0.7),
        "met": True,
    }
    assert judged["swapped: clear gain"]["met"]
    assert not judged["frozen: no clear gain"]["met"]
    assert judged["learning: largest share under the cap"]["value"] == pytest.approx(2 / 3)
    assert not judged["learning: largest share under the cap"]["met"]


@given(st.lists(st.floats(0, 1), max_size=80), st.integers(1, 60))
def test_the_moving_mean_is_of_the_last_values(values: list[float], window: int) -> None:
    means = plot.moving_mean(values, window=window)
    expected = [values[max(end - window, 0) : end] for end in range(1, len(values) + 1)]
    assert means == pytest.approx([sum(part) / len(part) for part in expected])


def test_sessions_swap_descriptions_and_leave_models_out() -> None:
    alone, learning, swapped, frozen = plan(disabled=frozenset({"general"})).sessions()
    models = installed()
    assert learning.overrides == alone.overrides == {"general": {"enabled": False}}
    assert "general" not in alone.models
    assert not learning.models
    assert swapped.overrides["mathematics"] == {"description": models["sentiment"]}
    assert swapped.overrides["sentiment"] == {"description": models["mathematics"]}
    assert (swapped.overrides, swapped.frozen, frozen.frozen) == (frozen.overrides, False, True)
    assert parse({"specialists": True, "overrides": swapped.overrides}, origin="here").specialists
    assert [session.name for session in plan(frozen=False).sessions()] == ["alone", "learning", "swapped"]


@pytest.mark.parametrize(
    ("swap", "complaint"), [("mathematics", "two different"), ("units,units", "two different"), ("units,no", "'no'")]
)
def test_the_command_refuses_a_swap_that_makes_no_sense(tmp_path: Path, swap: str, complaint: str) -> None:
    refused = CliRunner().invoke(demo, ["--out", str(tmp_path), "--swap", swap])
    assert refused.exit_code == 2
    assert complaint in refused.output


def test_a_short_run_over_http(tmp_path: Path) -> None:
    few = plan(kinds=LIGHT, disabled=frozenset({"general", "summary", "spelling", "code-language"}), frozen=False)
    answered: Counter[str] = Counter()

    def tell(session: Session) -> None:
        answered[session.name] += 1

    singles, routed = run(few, tell=tell)
    assert answered == {"alone": 36, "learning": 12, "swapped": 12}
    kinds = [task.kind for task in few.tasks()]
    for found in (*singles.values(), *routed.values()):
        assert [outcome.kind for outcome in found] == kinds
        assert {outcome.model for outcome in found} <= {"mathematics", "sentiment", "units"}
    assert all(outcome.score == (outcome.kind == "sums") for outcome in singles["mathematics"])
    results = report.document(few, singles=singles, routed=routed)
    assert sum(results["scenarios"]["learning"]["shares"].values()) == pytest.approx(1.0)
    assert results["singles"]["mathematics"]["by_kind"] == {"reviews": 0.0, "sums": 1.0, "units": 0.0}
    assert json.loads(json.dumps(results)) == results
    plot.draw(results, tmp_path / "demo.png")
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
