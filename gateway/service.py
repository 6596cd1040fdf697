"""All parts of a running gateway, put together in one place and taken apart in the reverse order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from pydantic import SecretStr

from gateway import __version__
from gateway.admission import Admission
from gateway.alignment import align
from gateway.asking import Asker
from gateway.config import Configuration, Routing
from gateway.corrections.memories import Memories
from gateway.database import connect, exclusive, migrate
from gateway.embedding import Embeddings
from gateway.fold import Fold
from gateway.gate.gate import Gate
from gateway.gate.guard import Guard
from gateway.governance.audit import GATEWAY, Audit
from gateway.governance.erasure import Erasures
from gateway.governance.identity import Identity
from gateway.governance.installation import Installation
from gateway.governance.prompts import Prompts
from gateway.governance.retention import Retention
from gateway.history import restore
from gateway.keys import DEFAULT_TENANT, Ensured, Principal, ensure
from gateway.learner import Learner
from gateway.lineage import Lineage
from gateway.log import Log
from gateway.metrics import Metrics
from gateway.probing import Prober
from gateway.proposing import Proposer
from gateway.providers.adapter import Providers
from gateway.providers.library import required
from gateway.registry import Registry
from gateway.routing import Router
from gateway.secrets import named_secret
from gateway.settings import Settings
from gateway.space import Space
from gateway.transaction import Record, Transaction
from gateway.transport import Client
from gateway.upstream import Upstreams
from router_models import make
from router_models.embedders import Embedder, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What endpoints are made of."""

    settings: Settings
    configuration: Configuration
    engine: sa.Engine
    audit: Audit
    keys: Ensured
    registry: Registry
    embeddings: Embeddings
    log: Log
    prompts: Prompts
    erasures: Erasures
    learner: Learner
    guard: Guard
    router: Router
    upstreams: Upstreams
    admission: Admission
    corrections: Memories
    client: Client
    metrics: Metrics


@asynccontextmanager
async def running(settings: Settings, configuration: Configuration) -> AsyncIterator[Service]:
    """A whole gateway, less HTTP. Raises :class:`gateway.config.ConfigurationError` and kin before it serves."""
    async with AsyncExitStack() as stack:
        stack.enter_context(exclusive(settings.data_dir))
        engine = connect(settings.data_dir)
        migrate(engine)
        audit = Audit(installation=Installation(data_dir=settings.data_dir))
        metrics = Metrics(version=__version__)
        space = Space.of(load_embedder(stack, settings))
        registry = Registry(cards=configuration.models)
        if configuration.specialists:
            await _start_specialists(stack, registry, configuration)
        with engine.connect() as connection:
            keys = ensure(connection, given=_given_keys(settings, configuration), added=partial(_tell_of_key, audit))
            fold = restore(connection, make_policy=make)
        corrections = Memories(tenants=configuration.tenants, engine=engine, width=space.features.width)
        stack.push_async_callback(corrections.stop)
        gate = Gate(settings=configuration.routing.gate, engine=engine)
        log, learner = _start_learning(stack, fold, gate, corrections, settings, metrics)
        lineage = Lineage(space=space, routing=configuration.routing, trust=configuration.feedback)
        await align(
            lineage, registry, configuration.tenants, frozen=settings.frozen, log=log, learner=learner, audit=audit
        )
        guard = await _start_guard(stack, gate, log, learner, audit, metrics)
        await corrections.start(learner)
        embeddings = _embeddings(stack, space.embedder, settings, metrics)
        erasures = Erasures(engine=engine, log=log, learner=learner, audit=audit, ring=keys.ring, embeddings=embeddings)
        retention = Retention(
            engine=engine, log=log, learner=learner, corrections=corrections, audit=audit, configuration=configuration
        )
        await _start_governing(stack, erasures, retention, settings)
        client = Client(limit_per_origin=1000, keepalive_s=4.0)
        stack.push_async_callback(client.aclose)
        service = Service(
            settings=settings,
            configuration=configuration,
            engine=engine,
            audit=audit,
            keys=keys,
            registry=registry,
            embeddings=embeddings,
            log=log,
            prompts=Prompts(tenants=[each.id for each in configuration.tenants if each.store_prompts], log=log),
            erasures=erasures,
            learner=learner,
            guard=guard,
            router=_router(registry, learner, embeddings, space, configuration),
            upstreams=_upstreams(registry, client, configuration.routing, settings, metrics),
            admission=_admission(settings, metrics),
            corrections=corrections,
            client=client,
            metrics=metrics,
        )
        prober = Prober(registry=registry, client=client)
        prober.start()
        stack.push_async_callback(prober.stop)
        _watch(service)
        yield service


async def _start_governing(stack: AsyncExitStack, erasures: Erasures, retention: Retention, settings: Settings) -> None:
    """Go on with erasures that were interrupted, and drop what is too old now and then."""
    stack.push_async_callback(erasures.stop)
    await erasures.resume()
    stack.push_async_callback(retention.stop)
    retention.start(every_s=settings.retention_every_s)


def _router(
    registry: Registry, learner: Learner, embeddings: Embeddings, space: Space, configuration: Configuration
) -> Router:
    """Who chooses."""
    return Router(
        registry=registry,
        learner=learner,
        proposer=Proposer(embeddings=embeddings, features=space.features),
        routing=configuration.routing,
        tenants={tenant.id: tenant for tenant in configuration.tenants},
        draw=random.Random().random,
    )


def _upstreams(registry: Registry, client: Client, routing: Routing, settings: Settings, metrics: Metrics) -> Upstreams:
    """The way to every model; litellm begins to load if any model needs it."""
    providers = Providers()
    if any(model.card.upstream.kind == "litellm" for model in registry):
        required()
        providers.prepare()
    return Upstreams(
        asker=Asker(client=client, providers=providers, answer_limit=settings.max_answer_bytes),
        retries=routing.retries,
        hedge_after_s=routing.hedge_after_s,
        jitter=random.Random().random,
        on_failure=lambda model, kind: metrics.failures.labels(model, kind).inc(),
    )


def _admission(settings: Settings, metrics: Metrics) -> Admission:
    """How many requests go their way at a time."""
    return Admission(
        limit=settings.max_concurrent,
        queue=settings.max_queued,
        wait_s=settings.queue_wait_ms / 1e3,
        on_shed=metrics.shed.inc,
    )


def load_embedder(stack: AsyncExitStack, settings: Settings) -> Embedder:
    """The embedder by its name; an address means a remote endpoint."""
    if settings.embedder.startswith(("http://", "https://")):
        from gateway.remote_embedder import RemoteEmbedder

        key = settings.embedding_key.get_secret_value() if settings.embedding_key else None
        return stack.enter_context(
            closing(RemoteEmbedder(url=settings.embedder, model=settings.embedding_model, key=key))
        )
    return load(settings.embedder)


def _embeddings(stack: AsyncExitStack, embedder: Embedder, settings: Settings, metrics: Metrics) -> Embeddings:
    embeddings = Embeddings(
        embedder=embedder,
        wait_s=settings.embedding_wait_ms / 1e3,
        cache=settings.embedding_cache,
        observe=metrics.embedding.observe,
    )
    stack.callback(embeddings.close)
    return embeddings


def _given_keys(settings: Settings, configuration: Configuration) -> dict[Principal, str | None]:
    """Keys that the environment gives; ``None`` asks for one to be made at the first start."""

    def secret(value: object) -> str | None:
        return value.get_secret_value() if isinstance(value, SecretStr) else None

    given = {
        Principal("default", DEFAULT_TENANT, "data"): secret(settings.api_key),
        Principal("admin", DEFAULT_TENANT, "admin"): secret(settings.admin_key),
    }
    for tenant in configuration.tenants:
        if tenant.key_env is not None:
            value = named_secret(owner=f"tenant {tenant.id}", variable=tenant.key_env)
            given[Principal(tenant.id, tenant.id, "data")] = value
    return given


def _tell_of_key(audit: Audit, transaction: Transaction, key: Principal) -> None:
    detail = {"scope": key.scope, "tenant": Identity(kind="tenant", tenant=key.tenant)}
    audit.record(transaction, actor=GATEWAY, action="key.add", subject=Identity.of(key), detail=detail)


async def _start_specialists(stack: AsyncExitStack, registry: Registry, configuration: Configuration) -> None:
    """Start the demo's own model servers; they load while the gateway already serves."""
    from gateway.specialists import Supervisor

    supervisor = Supervisor()
    stack.push_async_callback(supervisor.stop)
    for card in await supervisor.start():
        override = configuration.overrides.get(card.id)
        registry.put(override.applied(card) if override is not None else card)


def _start_learning(
    stack: AsyncExitStack, fold: Fold, gate: Gate, corrections: Memories, settings: Settings, metrics: Metrics
) -> tuple[Log, Learner]:
    """Start the writer, and the learner behind it; on the way out the learner saves before the writer stops."""
    learner = Learner(
        fold=fold,
        door=gate,
        engine=gate.engine,
        snapshot_every=settings.snapshot_every,
        on_failure=metrics.learner_failures.inc,
    )

    def committed(records: Sequence[Record]) -> None:
        learner.offer(records)
        corrections.offer(records)

    hears = committed if corrections.keepers else learner.offer
    log = Log(engine=gate.engine, committed=hears, stuck_s=settings.durable_wait_ms / 1e3)
    learner.log = log
    log.start(asyncio.get_running_loop())
    stack.push_async_callback(log.stop)
    learner.start()
    stack.push_async_callback(learner.stop)
    return log, learner


async def _start_guard(
    stack: AsyncExitStack, gate: Gate, log: Log, learner: Learner, audit: Audit, metrics: Metrics
) -> Guard:
    """Act on what the gate finds, from here on."""
    guard = Guard(gate=gate, log=log, learner=learner, audit=audit, metrics=metrics)
    stack.push_async_callback(guard.stop)
    await guard.start()
    return guard


def _watch(service: Service) -> None:
    """Connect the gauges with the parts that they are read from."""
    log, learner = service.log, service.learner
    service.metrics.watch(
        learner_lag_events=lambda: learner.lag,
        learner_lessons=lambda: learner.fold.lessons,
        router_version=lambda: learner.fold.position,
        learning_frozen=lambda: learner.fold.frozen,
        log_pending_events=lambda: log.pending,
        log_healthy=lambda: log.healthy,
        log_dropped_events=lambda: log.dropped,
        embedding_queue=lambda: service.embeddings.queued,
        tasks=lambda: len(asyncio.all_tasks()),
        upstream_connections=lambda: service.client.stats().open,
    )
