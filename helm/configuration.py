"""The gateway's own configuration as a schema, with what pydantic checks in code and so leaves out of its schema."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import TypeAdapter

from gateway.config import Configuration, ModelId
from gateway.config.cards import SECRETS
from helm.forms import PORT
from helm.parts import Schema, like, where

#: What no model may be called: it asks the gateway to choose.
AUTO: Final = "^auto(:|$)"


def configuration() -> dict[str, Schema]:
    """The configuration and its sections, by name."""
    made = narrowed(Configuration.model_json_schema(ref_template="#/$defs/{model}"))
    sections: dict[str, Schema] = made.pop("$defs")
    sections["Upstream"] |= {
        "if": where("kind", "litellm"),
        "else": {
            "required": ["base_url"],
            "properties": {"base_url": {"type": "string"}, "options": {"maxProperties": 0}},
        },
    }
    options = sections["Upstream"]["properties"]["options"]
    options["patternProperties"] = {"|".join(map(in_any_case, SECRETS)): False}
    sections["ModelCard"] |= {
        "if": {"properties": {"upstream": where("kind", "litellm")}},
        "then": {"properties": {"endpoint": {"enum": ["chat", "embeddings"]}}},
    }
    return {"Configuration": made, **sections}


def narrowed(part: Any) -> Any:
    """A part of the schema in which model ids are none of the gateway's words, addresses are URLs, and keys match."""
    if isinstance(part, list):
        return [narrowed(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {name: narrowed(each) for name, each in part.items()}
    ids = TypeAdapter(ModelId).json_schema()["pattern"]
    if made.get("pattern") == ids:
        made["not"] = {"pattern": AUTO}
    if made.get("format") == "uri":
        made |= like(address())
    if "patternProperties" in made:
        made["additionalProperties"] = False
        if ids in made["patternProperties"]:
            made["patternProperties"][AUTO] = False
    return made


def address() -> str:
    """An HTTP URL: whose it is, where, and the rest, as the gateway's own reader of URLs takes them apart."""
    host = r"(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]\\|<>^%]+)"
    return rf"{in_any_case('http')}[sS]?://([^\s/?#]*@)?{host}(:{PORT}?)?([/?#].*)?"


def in_any_case(word: str) -> str:
    """A pattern that not every dialect of patterns has a flag for."""
    return re.sub("[a-z]", lambda letter: f"[{letter[0]}{letter[0].upper()}]", word)
