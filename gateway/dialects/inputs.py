"""OpenAI's Responses API: requests (OpenAI API reference, ``POST /v1/responses``)."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.decoding import decode
from gateway.errors import BadRequest

Document = dict[str, Any]

#: What would need a memory of past responses, or work in the background: neither is kept here.
_STATEFUL = ("previous_response_id", "conversation", "prompt", "background")

#: What passes on under the same name.
_KEPT = ("temperature", "top_p", "parallel_tool_calls", "user", "seed", "stop")

_IMAGES, _TEXTS = frozenset({"input_image"}), frozenset({"input_text", "output_text", "text", "refusal"})


class Part(msgspec.Struct):
    """A part of a message's content."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    input_audio: Document | None = None


class Item(msgspec.Struct):
    """One item of the input: a message, a tool call made before, or what it gave."""

    type: str = "message"
    role: str | None = None
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[Part] | None = None


class Tool(msgspec.Struct):
    """A function that the client runs itself."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: Document | None = None
    strict: bool | None = None


class Format(msgspec.Struct):
    """What shape the text should have."""

    type: str = "text"
    name: str | None = None
    description: str | None = None
    schema: Document | None = None
    strict: bool | None = None


class TextOptions(msgspec.Struct):
    """How text is answered."""

    format: Format | None = None


class Reasoning(msgspec.Struct):
    """How hard to think."""

    effort: str | None = None


class ResponsesRequest(msgspec.Struct):
    """``POST /v1/responses``, as far as it is translated."""

    input: str | list[Item]
    model: str = "auto"
    instructions: str | None = None
    max_output_tokens: int | None = None
    stream: bool | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Tool | None = None
    text: TextOptions | None = None
    reasoning: Reasoning | None = None


_request = msgspec.json.Decoder(ResponsesRequest)
_fields = msgspec.json.Decoder(Document)


def as_chat(body: bytes) -> tuple[bytes, Document]:
    """The request as a chat completion's, and its own fields. Raises :class:`BadRequest` naming the faulty one."""
    request = decode(_request, body)
    fields = decode(_fields, body)
    for name in _STATEFUL:
        if fields.get(name):
            raise BadRequest(f"{name} is not possible: no response is kept here; send the whole input.", param=name)
    chat: Document = {"model": request.model, "messages": _messages(request)}
    chat |= {name: fields[name] for name in _KEPT if fields.get(name) is not None}
    if request.stream:
        chat |= {"stream": True, "stream_options": {"include_usage": True}}
    if request.max_output_tokens is not None:
        chat["max_tokens"] = request.max_output_tokens
    if request.reasoning is not None and request.reasoning.effort is not None:
        chat["reasoning_effort"] = request.reasoning.effort
    if request.text is not None and request.text.format is not None and request.text.format.type != "text":
        chat["response_format"] = _format(request.text.format)
    if request.tools:
        chat["tools"] = [_tool(tool) for tool in request.tools]
        if request.tool_choice is not None:
            chat["tool_choice"] = _choice(request.tool_choice)
    return msgspec.json.encode(chat), fields


def _messages(request: ResponsesRequest) -> list[Document]:
    told: list[Document] = []
    if request.instructions:
        told.append({"role": "system", "content": request.instructions})
    if isinstance(request.input, str):
        return [*told, {"role": "user", "content": request.input}]
    for place, item in enumerate(request.input):
        if item.type == "message" and item.role is not None:
            role = "system" if item.role == "developer" else item.role
            told.append({"role": role, "content": _content(item.content)})
        elif item.type == "function_call":
            _called(told, item)
        elif item.type == "function_call_output":
            text = item.output if isinstance(item.output, str) else _content(item.output)
            told.append({"role": "tool", "tool_call_id": item.call_id or "", "content": text})
        elif item.type != "reasoning":  # a model's own thoughts are not shown to another one
            raise BadRequest(f"An item of type {item.type!r} is not possible here.", param=f"input[{place}]")
    if not told:
        raise BadRequest("input must not be empty.", param="input")
    return told


def _called(told: list[Document], item: Item) -> None:
    """Calls that follow one another, or the words before them, are one message."""
    if not told or told[-1]["role"] != "assistant":
        told.append({"role": "assistant", "content": None})
    function = {"name": item.name or "", "arguments": item.arguments or "{}"}
    call = {"id": item.call_id or "", "type": "function", "function": function}
    told[-1].setdefault("tool_calls", []).append(call)


def _content(content: str | list[Part] | None) -> str | list[Document]:
    if content is None or isinstance(content, str):
        return content or ""
    if all(part.type in _TEXTS for part in content):
        return "\n".join(part.text or part.refusal or "" for part in content)
    return [_part(part) for part in content]


def _part(part: Part) -> Document:
    if part.type in _TEXTS:
        return {"type": "text", "text": part.text or part.refusal or ""}
    if part.type in _IMAGES and part.image_url is not None:
        detail = {} if part.detail is None else {"detail": part.detail}
        return {"type": "image_url", "image_url": {"url": part.image_url, **detail}}
    if part.type == "input_audio" and part.input_audio is not None:
        return {"type": "input_audio", "input_audio": part.input_audio}
    raise BadRequest(f"Content of type {part.type!r} is not possible here: no files are kept.", param="input")


def _format(form: Format) -> Document:
    if form.type != "json_schema":
        return {"type": form.type}
    schema = {"name": form.name, "description": form.description, "schema": form.schema, "strict": form.strict}
    return {"type": "json_schema", "json_schema": {name: value for name, value in schema.items() if value is not None}}


def _tool(tool: Tool) -> Document:
    if tool.type != "function":
        raise BadRequest(f"The tool {tool.type!r} runs at its provider: only functions are possible.", param="tools")
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def _choice(choice: str | Tool) -> str | Document:
    return choice if isinstance(choice, str) else {"type": "function", "function": {"name": choice.name}}
