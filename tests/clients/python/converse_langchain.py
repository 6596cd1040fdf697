"""Talks to a gateway with LangChain and prints what came of it, as JSON: ``converse_langchain.py URL KEY``."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

URL, KEY = sys.argv[1:]


class Solution(BaseModel):
    """The solution."""

    answer: int


@tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"Sunny in {city}"


def model(name: str, **options: Any) -> Any:
    return ChatOpenAI(model=name, base_url=URL, api_key=KEY, max_retries=0, timeout=30, **options)


def agent() -> list[Any]:
    """A tool is called for, called, and its result told."""
    asked: list[Any] = [HumanMessage("What is the weather in Paris?")]
    equipped = model("code").bind_tools([weather])
    said = equipped.invoke(asked)
    told = [weather.invoke(call) for call in said.tool_calls]
    return [said.tool_calls[0]["args"], told[0].content, equipped.invoke([*asked, said, *told]).content]


async def asynchronously() -> str:
    return "".join([piece.content async for piece in model("chat").astream("Hello")])


def failure() -> str:
    try:
        model("none").invoke("Hello")
    except Exception as error:  # which one it is, the test says
        return type(error).__name__
    return "none"


# LangChain counts tokens as OpenAI's models do, by a table that it would download, unless told not to.
embedder = OpenAIEmbeddings(model="embed", base_url=URL, api_key=KEY, check_embedding_ctx_length=False)
plain = model("auto").invoke("Hello")
solved = model("auto").with_structured_output(Solution).invoke("6 * 7?")
print(
    json.dumps(
        {
            "plain": [plain.content, plain.usage_metadata["total_tokens"]],
            "id": plain.id,
            "stream": "".join(piece.content for piece in model("chat", stream_usage=True).stream("Hello")),
            "asynchronously": asyncio.run(asynchronously()),
            "structured": solved.answer,
            "agent": agent(),
            "batch": [each.content for each in model("chat").batch(["Hello", "Hi"])],
            "embeddings": len(embedder.embed_query("a")),
            "responses": model("chat", use_responses_api=True).invoke("Hello").text,
            "failure": failure(),
        }
    )
)
