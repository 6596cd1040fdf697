"""Where the model of a LiteLLM entry is served: by whom, at which address, and whether it takes litellm to ask it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from gateway.init.hosted import Provider, providers
from gateway.init.litellm_schema import Parameters

FROM_ENVIRONMENT = "os.environ/"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPENAI_MODEL = re.compile(r"gpt-|chatgpt-|o\d|text-embedding-|ft:")
_OPENAI_PATHS = re.compile(r"/(chat/completions|completions|embeddings)/?$")


class Unsupported(Exception):
    """Why an entry cannot become a card, for people."""


class Served(NamedTuple):
    """``model`` is the provider's own name for it, ``base_url`` the address where that is not the usual one."""

    provider: Provider
    litellm: str
    model: str
    base_url: str | None
    native: bool

    @property
    def name(self) -> str:
        """The model's name as litellm knows it."""
        return f"{self.litellm}/{self.model}"

    @property
    def elsewhere(self) -> bool:
        """Whether some other server only speaks as the provider does: nothing else is known of it."""
        return self.base_url is not None and not self.native

    def known(self) -> dict[str, Any]:
        """The card fields that are known of the model."""
        return {} if self.elsewhere or self.native else self.provider.known(self.model)


class Finder:
    """Finds where models are served; parts of addresses may come from the environment."""

    def __init__(self, *, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def served(self, parameters: Parameters) -> Served:
        """Where the model is. Raises :class:`Unsupported`."""
        name = self.resolved(parameters.model)
        prefix, _, rest = name.partition("/")
        wanted = parameters.custom_llm_provider or (prefix if rest else None)
        if wanted is None and (parameters.api_base or _OPENAI_MODEL.match(name)):
            wanted = "openai"
        if wanted is None:
            raise Unsupported("its model names no provider, and there is no api_base")
        model = rest if prefix == wanted else name
        if "*" in model:
            raise Unsupported("a wildcard stands for models that it does not name: list them one by one")
        provider = next((provider for provider in providers() if wanted in provider.litellm), None)
        if provider is None:
            raise Unsupported(
                f"its provider, {wanted}, is not known here: add it by hand, with its base_url if it speaks OpenAI's "
                "protocol, else of kind litellm"
            )
        address = self._address(parameters)
        if provider.native == "always" or (provider.native == "elsewhere" and address is not None):
            return Served(provider, wanted, model, address.geturl().rstrip("/") if address else None, True)
        base_url = _openai_base(address, usual=str(provider.base_url)) if address else None
        if base_url is None and provider.base_url is None:
            raise Unsupported("it has no api_base, so there is no telling where it is served")
        return Served(provider, wanted, provider.full_name(model), base_url, False)

    def resolved(self, value: str) -> str:
        """The value itself, or the environment's where it names a variable. Raises :class:`Unsupported`."""
        if not value.startswith(FROM_ENVIRONMENT):
            return value
        name = variable(value)
        if not self._environment.get(name):
            raise Unsupported(f"part of it comes from the environment variable {name}: set that and run this again")
        return self._environment[name]

    def _address(self, parameters: Parameters) -> SplitResult | None:
        if parameters.api_base is None:
            return None
        try:
            url = urlsplit(self.resolved(parameters.api_base))
        except ValueError as error:
            raise Unsupported("its api_base is no address") from error
        if url.username or url.password or url.query:
            raise Unsupported("its api_base holds a user name, a password or a query, which is no place for secrets")
        return url


def variable(reference: str) -> str:
    """The variable that ``os.environ/NAME`` names. Raises :class:`Unsupported`."""
    name = reference.removeprefix(FROM_ENVIRONMENT)
    if not _VARIABLE.fullmatch(name):
        raise Unsupported("it refers to an environment variable by something that is no variable's name")
    return name


def _openai_base(url: SplitResult, *, usual: str) -> str | None:
    """The server's OpenAI base, where it is not the usual one; servers without a path have theirs at /v1."""
    path = _OPENAI_PATHS.sub("", url.path).rstrip("/")
    address = f"{url.scheme}://{url.netloc}{path or '/v1'}"
    return None if address == usual else address
