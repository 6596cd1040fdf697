"""Finding the text that a prompt is about, apart from the words that say what to do with it."""

from __future__ import annotations

import re

_FENCE = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_QUOTE = re.compile(
    r"[\"\u201c\u00ab]([^\"\u201c\u201d\u00ab\u00bb]+)[\"\u201d\u00bb]|(?<!\w)['\u2018](.{1,2000}?)['\u2019](?!\w)",
    re.DOTALL,
)
_HEAD = re.compile(r"\A([^:\n]{1,200}?)(?::|\n)\s*(.+)\Z", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")

MAX_INSTRUCTION_WORDS = 25


def fenced(prompt: str) -> str | None:
    """What stands in the first fenced block, if there is one."""
    block = _FENCE.search(prompt)
    return block.group(1) if block else None


def excerpt(prompt: str, *, cue: re.Pattern[str]) -> str:
    """The part of ``prompt`` to work on; ``cue`` matches words that give instructions away.

    In this order: a fenced block, a quotation, what follows a colon or a first line, what stands before a last line
    (these two the other way round where only the last line asks something), the sentences that are no instructions;
    and failing all, the whole prompt.
    """
    prompt = prompt.strip()
    block = fenced(prompt)
    if block is not None:
        return block.strip()
    asks_last = "?" in prompt.rpartition("\n")[2] and "?" not in prompt.partition("\n")[0]
    ends = (_before_tail, _after_head) if asks_last else (_after_head, _before_tail)
    found = (find(prompt, cue) for find in (_quoted, *ends))
    return next(filter(None, found), None) or _without(prompt, cue)


def _instructs(text: str, cue: re.Pattern[str]) -> bool:
    return len(text.split()) <= MAX_INSTRUCTION_WORDS and cue.search(text) is not None


def _quoted(prompt: str, cue: re.Pattern[str]) -> str | None:
    quotes = [(match, match.group(1) or match.group(2)) for match in _QUOTE.finditer(prompt)]
    if not quotes:
        return None
    match, quote = max(quotes, key=lambda pair: len(pair[1]))
    around = f"{prompt[: match.start()]} {prompt[match.end() :]}"
    return quote.strip() if _instructs(around, cue) else None


def _after_head(prompt: str, cue: re.Pattern[str]) -> str | None:
    parts = _HEAD.match(prompt)
    return parts.group(2).strip() if parts and _instructs(parts.group(1), cue) else None


def _before_tail(prompt: str, cue: re.Pattern[str]) -> str | None:
    body, _, last = prompt.rpartition("\n")
    return body.strip() if _instructs(last, cue) else None


def _without(prompt: str, cue: re.Pattern[str]) -> str:
    sentences = _SENTENCE.split(prompt)
    if len(sentences) > 1 and _instructs(sentences[0], cue):
        return prompt[len(sentences[0]) :].strip()
    if len(sentences) > 1 and _instructs(sentences[-1], cue):
        return prompt[: -len(sentences[-1])].strip()
    return prompt
