"""The official npm SDK, in a Node that comes from a package, works unchanged."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import packages
from tests.support.gateway import KEY, Gateway

SCRIPT = Path(__file__).parent / "node" / "converse.mjs"


def test_the_sdk_works_unchanged(healthy: Gateway) -> None:
    shown = json.loads(packages.script(SCRIPT, str(packages.sdks()), f"{healthy.url}/v1", KEY))
    model = shown["plain"]["model"]
    assert shown["plain"] == {
        "id": shown["plain"]["id"],
        "content": f"Hello from {model}.",
        "usage": 15,
        "model": model,
    }
    assert shown["plain"]["id"].startswith("chatcmpl-")
    assert shown["stream"]["content"] == "Hello from chat."
    assert len(shown["stream"]["ids"]) == 1
    assert shown["collected"] == {"content": "Hello from chat."}
    assert shown["tools"] == {"name": "weather", "arguments": '{"city": "Paris"}'}
    assert shown["responses"] == {"text": "Hello from chat.", "tool": ["weather", '{"city": "Paris"}']}
    assert shown["responsesStream"]["text"] == "Hello from chat."
    assert {"response.created", "response.output_text.delta", "response.completed"} <= set(
        shown["responsesStream"]["kinds"]
    )
    assert shown["embeddings"] == {"count": 2, "length": 16}
    assert {"auto", "math", "chat"} <= set(shown["models"])
    assert shown["left"] == {"aborted": True}
    errors = {name: (shown[name]["name"], shown[name]["status"], shown[name]["code"]) for name in (*shown,)[9:]}
    assert errors == {
        "unknown": ("NotFoundError", 404, "model_not_found"),
        "invalid": ("BadRequestError", 400, "invalid_request"),
        "unauthenticated": ("AuthenticationError", 401, "invalid_api_key"),
        "forbidden": ("PermissionDeniedError", 403, "forbidden"),
    }
