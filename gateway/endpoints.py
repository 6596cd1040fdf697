"""The endpoints that are asked now and then: models, dry run, health, metrics."""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway import __version__
from gateway.completions import wishes
from gateway.config import Tenant
from gateway.dialects.messages import as_chat
from gateway.errors import Forbidden, ModelNotFound
from gateway.http import read_body
from gateway.keys import Principal, digest
from gateway.openapi import document
from gateway.permission import askable, usable
from gateway.registry import Model
from gateway.request import read_chat
from gateway.routing import AUTO, Choice, Considered
from gateway.service import Service


class Endpoints:
    """Handlers over a running service."""

    def __init__(self, *, service: Service) -> None:
        self._service = service

    async def models(self, request: Request) -> Response:
        """``GET /v1/models``: what this caller may name, ``auto`` first."""
        principal = self._service.keys.ring.authenticate(request.scope, None)
        shown = [_model(name, "polyculture") for name in self._automatic(principal)]
        shown += [_card(model) for model in self._allowed(principal)]
        return JSONResponse({"object": "list", "data": shown})

    async def model(self, request: Request) -> Response:
        """``GET /v1/models/{id}``."""
        principal = self._service.keys.ring.authenticate(request.scope, None)
        name = request.path_params["name"]
        if name in self._automatic(principal):
            return JSONResponse(_model(name, "polyculture"))
        for model in self._allowed(principal):
            if model.id == name:
                return JSONResponse(_card(model))
        raise ModelNotFound(f"There is no model {name!r} here.", param="model")

    def _automatic(self, principal: Principal) -> list[str]:
        names = [AUTO, *(f"{AUTO}:{name}" for name in self._service.configuration.routing.preferences)]
        return [name for name in names if askable(name, principal, self._tenant(principal))]

    def _allowed(self, principal: Principal) -> list[Model]:
        tenant = self._tenant(principal)
        return [m for m in self._service.registry if m.standing.named and usable(m.id, principal, tenant)]

    def _tenant(self, principal: Principal) -> Tenant | None:
        return next((each for each in self._service.configuration.tenants if each.id == principal.tenant), None)

    async def route(self, request: Request) -> Response:
        """``POST /v1/route``: what would be chosen and why, without asking a model or logging a decision."""
        service = self._service
        principal = service.keys.ring.authenticate(request.scope)
        body = await read_body(request.scope, request.receive, limit=service.settings.max_body_bytes)
        reading = read_chat(body)
        if reading.model == AUTO or reading.model.startswith("auto:"):
            return _told(_dry_run(await service.router.consider(reading, principal, wishes(request.scope, body))))
        return _told(_dry_forced(await service.router.route(reading, principal, wishes(request.scope, body))))

    async def count(self, request: Request) -> Response:
        """``POST /v1/messages/count_tokens``: an estimate; which model will answer, and so its tokenizer, is open."""
        service = self._service
        service.keys.ring.authenticate(request.scope)
        body = await read_body(request.scope, request.receive, limit=service.settings.max_body_bytes)
        reading = read_chat(as_chat(body, counting=True))
        return JSONResponse({"input_tokens": max(reading.prompt_tokens, 1)})

    async def alive(self, request: Request) -> Response:
        """``GET /healthz``: the process serves."""
        return JSONResponse({"status": "ok", "service": "polyculture", "version": __version__})

    async def ready(self, request: Request) -> Response:
        """``GET /readyz``: requests can be answered; the log's health is told, and does not stop serving."""
        service = self._service
        models = sum(model.standing.drawn and model.breaker.closed for model in service.registry)
        state = {"models": models, "log": "ok" if service.log.healthy else "unavailable"}
        ready = models > 0
        return JSONResponse({"status": "ready" if ready else "no model", **state}, status_code=200 if ready else 503)

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``: open to this machine, by token to others."""
        service = self._service
        if not _is_local(request):
            token = service.settings.metrics_token
            given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
            if token is None or digest(given) != digest(token.get_secret_value()):
                raise Forbidden("From other machines, /metrics needs the token in POLYCULTURE_METRICS_TOKEN.")
        return Response(service.metrics.expose(), media_type="text/plain; version=0.0.4")

    async def openapi(self, request: Request) -> Response:
        """``GET /openapi.json``."""
        return JSONResponse(document())


def _is_local(request: Request) -> bool:
    if request.client is None or request.headers.get("x-forwarded-for") is not None:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _model(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def _card(model: Model) -> dict[str, Any]:
    card = model.card
    return {
        **_model(model.id, card.upstream.kind),
        "description": card.description,
        "endpoint": card.endpoint,
        "context_window": card.context_window,
        "max_output_tokens": card.max_output_tokens,
        "modalities": sorted(card.modalities),
        "tools": card.tools,
        "json_mode": card.json_mode,
        "skills": card.skills,
        "languages": card.languages,
        "tags": sorted(card.tags),
        "region": card.region,
        "private": card.private,
        "price": card.price.model_dump(),
        "license": card.license,
    }


def _told(document: dict[str, Any]) -> Response:
    """JSON in which a score that is not there, of a model beyond the budget, is null."""
    return Response(msgspec.json.encode(document), media_type="application/json")


def _dry_run(considered: Considered) -> dict[str, Any]:
    proposal, left = considered.proposed.proposal, considered.leaving
    arms = considered.published.snapshot.arms
    order = [place for place in np.argsort(-proposal.probabilities, kind="stable") if considered.mask[place]]
    return {
        "reason": considered.reason,
        "router_version": considered.published.version,
        "candidates": [
            {
                "model": arms[place],
                "probability": float(proposal.probabilities[place]),
                "score": float(proposal.scores[place]),
            }
            for place in order
        ],
        "excluded": considered.excluded,
        "conversation": None if left is None else {"holder": left.holder, "switch_cost": left.price},
    }


def _dry_forced(choice: Choice) -> dict[str, Any]:
    return {
        "reason": choice.decision.reason,
        "router_version": choice.decision.version,
        "candidates": [{"model": choice.model.id, "probability": 1.0, "score": None}],
        "excluded": {},
    }
