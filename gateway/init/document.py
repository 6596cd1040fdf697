"""The configuration file as text: YAML that a person can read and edit, with comments."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gateway.config import Configuration, ModelCard, load
from gateway.init.source import Source, plain

_WIDTH = 100

_HEAD = """\
# Polyculture: which models there are, how each is reached, and how requests are spread over them.
#
# Written by `polyculture init`; edit it freely. What helps routing most is a good `description` and a few
# `examples` for each model: they are the router's first guess, which feedback then corrects.
# No secret belongs here: `api_key_env` names the environment variable that holds a key.
"""

_OVERRIDES = """\
# The demo models' descriptions, to edit: what stands here replaces the built-in text, which is back when an
# entry is deleted. Also possible: skills, examples, price, tags, enabled.
"""

_MODEL_EXAMPLE = """\
# A model of your own, on any server that speaks OpenAI's protocol:
#
# models:
#   - id: my-coder
#     upstream:
#       base_url: http://127.0.0.1:8000/v1
#       model: Qwen/Qwen3-Coder-30B-A3B-Instruct
#       api_key_env: MY_CODER_API_KEY
#     description: Writing, explaining and fixing Python and SQL.
#     examples:
#       - Why does this loop never end?
#       - Write a query that finds customers without orders.
#     context_window: 32768
#     tools: true
#     json_mode: true
#     price: {input: 0.1, output: 0.3}
"""

_SETTINGS_EXAMPLE = """\
# How requests are spread (these are the defaults):
#
# routing:
#   exploration: 0.01
#   share_cap: 0.6
#   fallbacks: 2

# Feedback metrics beside plain scores: a value at `worst` earns 0, at `best` 1.
#
# metrics:
#   seconds_to_accept: {worst: 60, best: 0}

# Tenants, each with a key of its own and a router that learns from its feedback alone.
#
# tenants:
#   - {id: support, key_env: SUPPORT_API_KEY}
"""


def write(path: Path, sources: Sequence[Source], *, specialists: Mapping[str, str] | None) -> Configuration:
    """Write the file and return what it says; it replaces ``path`` only once it has loaded without a fault.

    Raises :class:`ConfigurationError`, :class:`OSError`; ``path`` is then as it was.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.write_text(render(sources, specialists=specialists), encoding="utf-8")
        configuration = load(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return configuration


def render(sources: Sequence[Source], *, specialists: Mapping[str, str] | None) -> str:
    """The file's text. ``specialists``: the demo models' descriptions by id, to edit; None for no demo."""
    parts = [_HEAD, _specialists(specialists)]
    if any(source.found for source in sources):
        parts.append(_models(sources))
    parts += [_left_out(sources), _MODEL_EXAMPLE, _SETTINGS_EXAMPLE]
    return "\n".join(part for part in parts if part)


def _specialists(descriptions: Mapping[str, str] | None) -> str:
    comment = _comment("The built-in demo models: small, real, and run on this machine's processor.")
    switch = comment + _yaml({"specialists": descriptions is not None})
    if not descriptions:
        return switch
    overrides = {name: {"description": description} for name, description in descriptions.items()}
    return f"{switch}\n{_OVERRIDES}{_yaml({'overrides': overrides})}"


def _models(sources: Iterable[Source]) -> str:
    blocks = [block for source in sources if source.found for block in _blocks(source)]
    return "models:\n" + "\n".join(blocks)


def _blocks(source: Source) -> Iterator[str]:
    yield _comment(f"--- {source.title} ---", *source.notes)
    for item in source.found:
        yield _comment(*item.notes) + _yaml([_card(item.card)])


def _card(card: ModelCard) -> dict[str, Any]:
    """The card's fields that say more than a default, in the order of the card."""
    fields = card.model_dump(mode="json", exclude_defaults=True)
    fields.setdefault("context_window", card.context_window)
    fields |= {name: sorted(fields[name]) for name in ("modalities", "tags") if name in fields}
    return {name: fields[name] for name in ModelCard.model_fields if name in fields}


def _left_out(sources: Iterable[Source]) -> str:
    """What was seen and not taken; a source's notes stand here when it has no models to stand above."""
    told = [
        f"- {source.title}: {line}"
        for source in sources
        for line in (*source.refusals(), *(() if source.found else source.notes))
    ]
    return _comment("Seen, but not taken:", *told) if told else ""


class _Dumper(yaml.SafeDumper):
    """Folds long text over several lines; escapes line ends and other invisible characters."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """The node for a string."""
        prose = len(text) > _WIDTH and text == " ".join(text.split())
        style = '"' if not text.isprintable() else ">" if prose else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def represent_list(self, items: Iterable[Any]) -> yaml.SequenceNode:
        """The node for a list; words stand on one line."""
        items = list(items)
        words = all(isinstance(item, str) for item in items)
        return self.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=words)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(list, _Dumper.represent_list)


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _comment(*paragraphs: str) -> str:
    """Comment lines, one paragraph after another; nothing in them can end a line or a file early."""
    texts = map(plain, paragraphs)
    lines = [line for text in texts for line in textwrap.wrap(text, _WIDTH, subsequent_indent="  ")]
    return "".join(f"# {line}\n" for line in lines)
