"""Anthropic's Messages API: requests (Anthropic API reference, ``POST /v1/messages``, version 2023-06-01)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from gateway.decoding import decode
from gateway.errors import BadRequest

Document = dict[str, Any]


class Source(msgspec.Struct):
    """Where an image is: in the request itself, or at an address."""

    type: Literal["base64", "url"]
    media_type: str = ""
    data: str = ""
    url: str = ""

    def address(self) -> str:
        """The image as one URL."""
        return self.url if self.type == "url" else f"data:{self.media_type};base64,{self.data}"


class TextBlock(msgspec.Struct, tag_field="type", tag="text"):
    """Words."""

    text: str


class ImageBlock(msgspec.Struct, tag_field="type", tag="image"):
    """A picture."""

    source: Source


class ToolUseBlock(msgspec.Struct, tag_field="type", tag="tool_use"):
    """A tool call that the model made before."""

    id: str
    name: str
    input: Document


class ToolResultBlock(msgspec.Struct, tag_field="type", tag="tool_result"):
    """What a tool call gave."""

    tool_use_id: str
    content: str | list[TextBlock | ImageBlock] | None = None


class ThinkingBlock(msgspec.Struct, tag_field="type", tag="thinking"):
    """A model's own thoughts: they are not shown to another model."""


class RedactedThinkingBlock(msgspec.Struct, tag_field="type", tag="redacted_thinking"):
    """The same, unreadable."""


Block = TextBlock | ImageBlock | ToolUseBlock | ToolResultBlock | ThinkingBlock | RedactedThinkingBlock


class SystemText(msgspec.Struct):
    """A piece of what the model is told beforehand."""

    text: str
    type: Literal["text"] = "text"


class Message(msgspec.Struct):
    """One turn."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class Tool(msgspec.Struct):
    """A tool that the client runs itself."""

    name: str
    input_schema: Document | None = None
    description: str | None = None
    type: str | None = None


class ToolChoice(msgspec.Struct):
    """Whether a tool must be called, and which."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool = False


class Metadata(msgspec.Struct):
    """Who the request is made for."""

    user_id: str | None = None


class MessagesRequest(msgspec.Struct):
    """``POST /v1/messages``, as far as it is translated."""

    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    max_tokens: Annotated[int, msgspec.Meta(ge=1)]
    model: str = "auto"
    system: str | list[SystemText] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    metadata: Metadata | None = None


class CountRequest(MessagesRequest):
    """``POST /v1/messages/count_tokens``: the same, without an answer."""

    max_tokens: Annotated[int, msgspec.Meta(ge=1)] = 1


_request = msgspec.json.Decoder(MessagesRequest)
_count = msgspec.json.Decoder(CountRequest)


def as_chat(body: bytes, *, counting: bool = False) -> bytes:
    """The request as a chat completion's. Raises :class:`BadRequest` naming the faulty field."""
    request: MessagesRequest = decode(_count, body) if counting else decode(_request, body)
    chat: Document = {
        "model": request.model,
        "messages": [*_system(request), *(said for message in request.messages for said in _said(message))],
        "max_tokens": request.max_tokens,
    }
    if request.stream:
        chat |= {"stream": True, "stream_options": {"include_usage": True}}
    given = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": request.stop_sequences,
        "user": request.metadata.user_id if request.metadata is not None else None,
    }
    chat |= {name: value for name, value in given.items() if value is not None}
    if request.tools:
        chat["tools"] = [_tool(tool) for tool in request.tools]
        chat |= _choice(request.tool_choice)
    return msgspec.json.encode(chat)


def _system(request: MessagesRequest) -> list[Document]:
    if not request.system:
        return []
    text = request.system if isinstance(request.system, str) else "\n\n".join(part.text for part in request.system)
    return [{"role": "system", "content": text}]


def _said(message: Message) -> list[Document]:
    """One turn as chat messages: what tools gave comes first, each in a message of its own."""
    if isinstance(message.content, str):
        return [{"role": message.role, "content": message.content}]
    results = [block for block in message.content if isinstance(block, ToolResultBlock)]
    calls = [block for block in message.content if isinstance(block, ToolUseBlock)]
    shown = [block for block in message.content if isinstance(block, TextBlock | ImageBlock)]
    told: list[Document] = []
    for result in results:
        blocks = result.content if isinstance(result.content, list) else []
        text = result.content if isinstance(result.content, str) else _joined(blocks)
        told.append({"role": "tool", "tool_call_id": result.tool_use_id, "content": text})
        shown += [block for block in blocks if isinstance(block, ImageBlock)]
    if calls:
        made = [{"id": call.id, "type": "function", "function": _called(call)} for call in calls]
        told.append({"role": "assistant", "content": _joined(shown) or None, "tool_calls": made})
    elif shown or not told:
        told.append({"role": message.role, "content": _content(shown)})
    return told


def _joined(blocks: list[Any]) -> str:
    return "\n".join(block.text for block in blocks if isinstance(block, TextBlock))


def _content(blocks: list[TextBlock | ImageBlock]) -> str | list[Document]:
    if not any(isinstance(block, ImageBlock) for block in blocks):
        return _joined(blocks)
    return [
        {"type": "text", "text": block.text}
        if isinstance(block, TextBlock)
        else {"type": "image_url", "image_url": {"url": block.source.address()}}
        for block in blocks
    ]


def _called(call: ToolUseBlock) -> Document:
    return {"name": call.name, "arguments": msgspec.json.encode(call.input).decode()}


def _tool(tool: Tool) -> Document:
    if tool.type not in (None, "custom"):
        raise BadRequest(
            f"The tool {tool.type!r} runs at its provider: only tools of your own are possible.", param="tools"
        )
    function: Document = {"name": tool.name, "parameters": tool.input_schema or {"type": "object", "properties": {}}}
    if tool.description is not None:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice | None) -> Document:
    if choice is None:
        return {}
    plain = {"auto": "auto", "any": "required", "none": "none"}
    named = {"type": "function", "function": {"name": choice.name}}
    found: Document = {"tool_choice": plain.get(choice.type, named)}
    if choice.disable_parallel_tool_use:
        found["parallel_tool_calls"] = False
    return found
