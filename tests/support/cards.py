"""Model cards and configurations for tests."""

from __future__ import annotations

from typing import Any

Card = dict[str, Any]


def card(name: str, url: str, *, first_byte_s: float = 30.0, idle_s: float = 30.0, **fields: Any) -> Card:
    """A card of a model that the upstream at ``url`` knows by the same name."""
    reached = {
        "base_url": url,
        "model": name,
        "first_byte_timeout_s": first_byte_s,
        "idle_timeout_s": idle_s,
    }
    return {"id": name, "upstream": reached, **fields}


def healthy(url: str) -> dict[str, Any]:
    """Models of every ability, all well; two tenants; a policy with tags; declared metrics."""
    return {
        "models": [
            card(
                "math",
                url,
                description="Arithmetic, sums and equations. Solves numeric problems.",
                examples=["What is 12 * 7 + 5?", "Solve x + 3 = 10"],
                price={"input": 1.0, "output": 2.0},
                json_mode=True,
            ),
            card(
                "chat",
                url,
                description="Friendly small talk and everyday conversation.",
                examples=["Hello, how are you?", "Tell me about your day."],
                tags=["eu"],
            ),
            card(
                "code",
                url,
                description="Programming. Writes and explains source code.",
                examples=["Write a Python function that sorts a list."],
                price={"input": 10.0, "output": 30.0},
                tags=["eu", "fast"],
                tools=True,
                json_mode=True,
            ),
            card(
                "vision", url, description="Describes pictures.", modalities=["text", "image"], context_window=128_000
            ),
            card("tiny", url, description="Very short answers.", context_window=100),
            card("retired", url, description="Everything.", enabled=False),
            card("embed", url, endpoint="embeddings"),
            card("embed-2", url, endpoint="embeddings"),
        ],
        "routing": {"preferences": {"quality": {}, "cheap": {"cost_weight": 100.0}, "eu": {"tags": ["eu"]}}},
        "metrics": {"stars": {"worst": 1, "best": 5}, "seconds": {"worst": 10, "best": 0}},
        "tenants": [{"id": "acme", "key_env": "ACME_KEY", "models": ["math", "chat"]}],
    }


def faulty(url: str) -> dict[str, Any]:
    """Models that follow scripts; tags name the groups that tests route within."""
    return {
        "models": [
            card("scripted", url),
            card("impatient", url, first_byte_s=0.4, idle_s=0.4),
            card("first", url, tags=["pair"], description="cats"),
            card("second", url, tags=["pair"], description="dogs"),
            card("unreachable", "http://127.0.0.1:9/v1"),
        ],
        "routing": {"share_cap": None},
    }
