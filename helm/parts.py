"""What schemas are built of."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
#: A number that Kubernetes keeps in 32 bits.
COUNT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
#: Parts of Kubernetes' own API that the chart hands on as they are.
ANYTHING: Final[Schema] = {"type": "object"}


def section(**properties: Schema) -> Schema:
    """A mapping of known values."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


def needing(*names: str, **properties: Schema) -> Schema:
    """A mapping of known values, some of which must be there."""
    return {**section(**properties), "required": list(names)}


def several(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def one_of(*values: str) -> Schema:
    """One of a few words."""
    return {"enum": list(values)}


def always(value: bool | str) -> Schema:
    """What cannot be otherwise."""
    return {"const": value}


def like(pattern: str, longest: int | None = None) -> Schema:
    """A whole text of that form."""
    return {**TEXT, "pattern": f"^({pattern})$", **({} if longest is None else {"maxLength": longest})}


def known(name: str) -> Schema:
    """What is defined once."""
    return {"$ref": f"#/$defs/{name}"}


def given(name: str) -> Schema:
    """What a known text is that must not be empty."""
    return {**known(name), "minLength": 1}


def where(name: str, value: str) -> Schema:
    """A mapping that says this of that."""
    return {"required": [name], "properties": {name: always(value)}}
