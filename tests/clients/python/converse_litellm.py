"""Talks to a gateway with the litellm library and prints what came of it, as JSON: ``converse_litellm.py URL KEY``."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import litellm

URL, KEY = sys.argv[1:]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ASKED = [{"role": "user", "content": "Hello"}]


def ask(model: str, **fields: Any) -> Any:
    return litellm.completion(model=model, messages=ASKED, api_base=URL, api_key=KEY, **fields)


async def asynchronously() -> Any:
    return await litellm.acompletion(model="openai/chat", messages=ASKED, api_base=URL, api_key=KEY)


def failure() -> str:
    try:
        ask("openai/none")
    except Exception as error:  # which one it is, the test says
        return type(error).__name__
    return "none"


pieces = [chunk.choices[0].delta.content or "" for chunk in ask("openai/chat", stream=True) if chunk.choices]
# With any tool, litellm 1.106 imports the package mcp, which it does not require, unless told not to.
(call,) = ask("openai/auto", tools=[WEATHER], _skip_mcp_handler=True).choices[0].message.tool_calls
print(
    json.dumps(
        {
            "plain": ask("openai/auto").choices[0].message.content,
            "as a proxy": ask("litellm_proxy/chat").choices[0].message.content,
            "asynchronously": asyncio.run(asynchronously()).choices[0].message.content,
            "stream": "".join(pieces),
            "tools": [call.function.name, call.function.arguments],
            "embeddings": len(
                litellm.embedding(model="openai/embed", input=["a"], api_base=URL, api_key=KEY).data[0]["embedding"]
            ),
            "failure": failure(),
        }
    )
)
