"""The ASGI application: hot endpoints in a dictionary, all others by Starlette."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.completions import Completions
from gateway.dialects.anthropic import Anthropic
from gateway.dialects.chat import Plain
from gateway.dialects.responses import Responses
from gateway.dialects.text import Text
from gateway.endpoints import Endpoints
from gateway.errors import BadRequest, GatewayError, Internal, MethodNotAllowed, NotFound
from gateway.feedback import FeedbackEndpoint
from gateway.http import ClientGone, Receive, Scope, Send
from gateway.openapi import GROUPS
from gateway.passthrough import Courier, Passthrough, form_to, json_to
from gateway.providers.adapter import Providers
from gateway.request import read_chat, read_embeddings
from gateway.service import Service


class Application:
    """Serves a running gateway over HTTP."""

    def __init__(self, *, service: Service) -> None:
        self._hot = hot_endpoints(service)
        routes = cold_routes(Endpoints(service=service), self._hot)
        routes += [route for group in GROUPS for route in group(service=service).routes()]
        self._cold = Starlette(routes=routes, exception_handlers=_HANDLERS)
        self._cold.router.redirect_slashes = False  # a path is right, or there is nothing there

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatch one connection."""
        if scope["type"] == "http" and scope["method"] == "POST":
            endpoint = self._hot.get(scope["path"])
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        await self._cold(scope, receive, send)


def hot_endpoints(service: Service) -> dict[str, Any]:
    """What every request goes through."""
    shared: dict[str, Any] = {
        "keys": service.keys.ring,
        "router": service.router,
        "upstreams": service.upstreams,
        "log": service.log,
        "prompts": service.prompts,
        "metrics": service.metrics,
        "admission": service.admission,
        "limiter": service.limits,
        "body_limit": service.settings.max_body_bytes,
        "corrections": service.corrections.keepers,
        "conversations": service.conversations,
        "configured": service.configured,
    }
    return {
        "/v1/chat/completions": Completions(dialect=Plain(read=read_chat), **shared),
        "/v1/embeddings": Completions(dialect=Plain(read=read_embeddings), **shared),
        "/v1/completions": Completions(dialect=Text(), **shared),
        "/v1/responses": Completions(dialect=Responses(), **shared),
        "/v1/messages": Completions(dialect=Anthropic(), **shared),
        **passing(service, shared),
        "/v1/feedback": FeedbackEndpoint(
            keys=service.keys.ring,
            log=service.log,
            metrics=service.metrics,
            configured=service.configured,
            window_s=service.settings.feedback_window_days * 86_400,
            body_limit=service.settings.max_body_bytes,
            learner=service.learner,
        ),
    }


def passing(service: Service, shared: dict[str, Any]) -> dict[str, Any]:
    """What is passed on to a model that the client names."""
    courier = Courier(client=service.client, providers=Providers(), answer_limit=service.settings.max_answer_bytes)
    shared = {**shared, "upstreams": service.upstreams.by(courier)}
    reads = {
        "/v1/moderations": json_to(b"/moderations", "moderations"),
        "/v1/audio/speech": json_to(b"/audio/speech", "audio"),
        "/v1/audio/transcriptions": form_to(b"/audio/transcriptions", "audio"),
        "/v1/audio/translations": form_to(b"/audio/translations", "audio"),
    }
    return {path: Passthrough(dialect=Plain(read=read), **shared) for path, read in reads.items()}


def cold_routes(endpoints: Endpoints, hot: dict[str, Any]) -> list[Route]:
    """All other paths; of a hot path only its wrong methods come here."""
    return [
        Route("/v1/models", endpoints.models, methods=["GET"]),
        Route("/v1/models/{name:path}", endpoints.model, methods=["GET"]),
        Route("/v1/route", endpoints.route, methods=["POST"]),
        Route("/v1/messages/count_tokens", endpoints.count, methods=["POST"]),
        Route("/healthz", endpoints.alive, methods=["GET"]),
        Route("/health/liveliness", endpoints.alive, methods=["GET"]),
        Route("/readyz", endpoints.ready, methods=["GET"]),
        Route("/health/readiness", endpoints.ready, methods=["GET"]),
        Route("/metrics", endpoints.metrics, methods=["GET"]),
        Route("/openapi.json", endpoints.openapi, methods=["GET"]),
        *(Route(path, endpoint, methods=["POST"]) for path, endpoint in hot.items()),
    ]


def _render(error: GatewayError, extra: dict[str, str] | None = None) -> Response:
    headers = {name.decode(): value.decode() for name, value in error.headers()}
    return Response(error.body(), status_code=error.http_status, headers={**headers, **(extra or {})})


async def _on_gateway_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError)
    return _render(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    extra = dict(error.headers or {})
    if error.status_code == 405:
        return _render(MethodNotAllowed(f"{request.method} is not possible at {request.url.path}."), extra)
    if error.status_code == 404:
        return _render(NotFound(f"There is nothing at {request.url.path}."))
    return _render(BadRequest(error.detail))


async def _on_client_gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)


async def _on_any_error(request: Request, error: Exception) -> Response:
    return _render(Internal("Something went wrong inside the gateway; its log has more."))


_HANDLERS: Any = {
    GatewayError: _on_gateway_error,
    HTTPException: _on_http_error,
    ClientGone: _on_client_gone,
    Exception: _on_any_error,
}
