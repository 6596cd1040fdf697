"""The parts of a LiteLLM proxy's ``config.yaml`` that say which models there are.

Shape: ``model_list[].{model_name, litellm_params, model_info}``; fields not named here are kept as extras.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

Tokens = Annotated[int, Field(gt=0)]
UsdPerToken = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

_IDENTITY = frozenset({"id", "db_model", "base_model", "litellm_provider"})

#: What litellm must know of some providers besides address and key; no secret is among it.
_OPTIONS = frozenset(
    {
        *("api_version", "organization", "region_name", "aws_region_name", "aws_profile_name", "aws_role_name"),
        *("aws_session_name", "vertex_project", "vertex_location", "project_id", "space_id"),
    }
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    def extras(self) -> list[str]:
        """The names of the fields that have no place here."""
        return list(self.model_extra or ())


class Parameters(_Part):
    """``litellm_params``: where LiteLLM sends a request, and with what."""

    model: str = Field(min_length=1)
    api_base: str | None = Field(None, validation_alias=AliasChoices("api_base", "base_url"))
    api_key: str | None = None
    custom_llm_provider: str | None = None
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    tags: tuple[str, ...] = ()
    input_cost_per_token: UsdPerToken | None = None
    output_cost_per_token: UsdPerToken | None = None

    def options(self) -> dict[str, str | int | float]:
        """What litellm must be told besides, where it is what asks."""
        extras = self.model_extra or {}
        return {name: value for name in sorted(_OPTIONS) if isinstance(value := extras.get(name), str | int | float)}


class Facts(_Part):
    """``model_info``: what the operator says about the model."""

    mode: str | None = None
    max_tokens: Tokens | None = None
    max_input_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    input_cost_per_token: UsdPerToken | None = None
    output_cost_per_token: UsdPerToken | None = None
    supports_function_calling: bool | None = None
    supports_response_schema: bool | None = None
    supports_vision: bool | None = None
    supports_audio_input: bool | None = None


class Deployment(_Part):
    """An entry of ``model_list``."""

    model_name: str = Field(min_length=1)
    litellm_params: Parameters
    model_info: Annotated[Facts, BeforeValidator(lambda stated: stated or {})] = Facts()

    def price(self) -> dict[str, float]:
        """USD per million tokens, as far as stated, by ``input`` and ``output``."""
        return {side: float(f"{cost * 1e6:.10g}") for side, cost in self._costs() if cost is not None}

    def completes_text(self) -> bool:
        """Whether LiteLLM sends it prompts to go on with (``/completions``) rather than chats."""
        return self.model_info.mode == "completion" or self.litellm_params.model.startswith("text-completion")

    def not_taken(self, *, native: bool) -> list[str]:
        """The settings that have no counterpart on a model card; ``native``: on one that is asked through litellm."""
        taken = self.litellm_params.options() if native else {}
        parameters = [name for name in self.litellm_params.extras() if name not in taken]
        facts = [name for name in self.model_info.extras() if name not in _IDENTITY]
        return [*parameters, *facts, *self.extras()]

    def _costs(self) -> Iterator[tuple[str, float | None]]:
        facts, parameters = self.model_info, self.litellm_params
        for side in ("input", "output"):
            field = f"{side}_cost_per_token"
            stated = getattr(facts, field)
            yield side, getattr(parameters, field) if stated is None else stated
