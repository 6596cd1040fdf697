"""All parts of a running gateway, put together in one place and taken apart in the reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from gateway import __version__, assembly
from gateway.admission import Admission
from gateway.alignment import align
from gateway.config import Configuration
from gateway.configured import Configured
from gateway.conversations import Conversations
from gateway.corrections.memories import Memories
from gateway.embedding import Embeddings
from gateway.gate.gate import Gate
from gateway.gate.guard import Guard
from gateway.governance.audit import Audit
from gateway.governance.erasure import Erasures
from gateway.governance.installation import Installation
from gateway.governance.prompts import Prompts
from gateway.governance.quota import Quota
from gateway.governance.retention import Retention
from gateway.history import restore
from gateway.keys import Ensured
from gateway.learner import Learner
from gateway.limits.limiter import Limiter
from gateway.log import Log
from gateway.metrics import Metrics
from gateway.models.entry import entries, given
from gateway.models.registrar import Registrar
from gateway.models.revisions import latest
from gateway.providers.adapter import Providers
from gateway.registry import Registry
from gateway.routing import Router
from gateway.settings import Settings
from gateway.space import Space
from gateway.transport import Client
from gateway.trust.standing import bands, withheld
from gateway.upstream import Upstreams
from gateway.vectors import Vectors
from router_models import make


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What endpoints are made of."""

    settings: Settings
    configured: Configured
    engine: sa.Engine
    audit: Audit
    keys: Ensured
    registry: Registry
    registrar: Registrar
    embeddings: Embeddings
    log: Log
    prompts: Prompts
    erasures: Erasures
    retention: Retention
    quota: Quota
    learner: Learner
    guard: Guard
    router: Router
    upstreams: Upstreams
    admission: Admission
    limits: Limiter
    corrections: Memories
    conversations: Conversations
    client: Client
    metrics: Metrics

    @property
    def configuration(self) -> Configuration:
        """The one that holds now."""
        return self.configured.configuration


@asynccontextmanager
async def running(settings: Settings, configuration: Configuration) -> AsyncIterator[Service]:
    """A whole gateway, less HTTP. Raises :class:`gateway.config.ConfigurationError` and kin before it serves."""
    async with AsyncExitStack() as stack:
        engine = assembly.database(stack, settings)
        audit = Audit(installation=Installation(data_dir=settings.data_dir))
        metrics = Metrics(version=__version__)
        space = Space.of(assembly.load_embedder(stack, settings))
        specialists = await assembly.specialists(stack, configuration)
        with engine.connect() as connection:
            keys = assembly.keys(connection, settings, configuration, audit)
            fold = restore(connection, make_policy=make)
            declared = entries(given(configuration, specialists), latest(connection))
        corrections = Memories(tenants=configuration.tenants, engine=engine, width=space.features.width)
        stack.push_async_callback(corrections.stop)
        gate = Gate(settings=configuration.routing.gate, engine=engine)
        log, learner = assembly.start_learning(stack, fold, gate, corrections, settings, metrics)
        providers = Providers()
        registrar = assembly.registrar(declared, specialists, space, log, learner, audit, providers)
        registry, configured = registrar.registry, Configured(configuration=configuration)
        await align(
            configuration, [*registry], space=space, frozen=settings.frozen, log=log, learner=learner, audit=audit
        )
        guard = await assembly.start_guard(stack, gate, log, learner, audit, metrics)
        await corrections.start(learner)
        embeddings = assembly.embeddings(stack, space.embedder, settings, metrics)
        client = assembly.client(stack, settings)
        erasures = Erasures(engine=engine, log=log, learner=learner, audit=audit, ring=keys.ring, embeddings=embeddings)
        retention = Retention(
            engine=engine, log=log, learner=learner, corrections=corrections, audit=audit, configuration=configuration
        )
        quota = await assembly.start_governing(stack, erasures, retention, engine, settings)
        conversations, vectors = assembly.conversations(configuration.routing), Vectors(engine=engine, log=log)
        service = Service(
            settings=settings,
            configured=configured,
            engine=engine,
            audit=audit,
            keys=keys,
            registry=registry,
            registrar=registrar,
            embeddings=embeddings,
            log=log,
            prompts=Prompts(tenants=[each.id for each in configuration.tenants if each.store_prompts], log=log),
            erasures=erasures,
            retention=retention,
            quota=quota,
            learner=learner,
            guard=guard,
            router=assembly.router(registry, learner, embeddings, space, conversations, vectors, configured),
            upstreams=assembly.upstreams(providers, client, configured, settings, metrics),
            admission=assembly.admission(settings, metrics),
            limits=assembly.limits(stack, engine, registry, keys.ring, configuration, log, audit, metrics),
            corrections=corrections,
            conversations=conversations,
            client=client,
            metrics=metrics,
        )
        assembly.start_probing(stack, registry, client)
        _watch(service)
        yield service


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
        quarantined_feedback=lambda: withheld(learner.fold),
        disk_bytes=lambda: service.quota.files,
        disk_limit_bytes=lambda: service.quota.limit or 0,
        disk_dropped_events=lambda: service.quota.dropped,
        embedding_queue=lambda: service.embeddings.queued,
        tasks=lambda: len(asyncio.all_tasks()),
        upstream_connections=lambda: service.client.stats().open,
    )
    service.metrics.sources.read = lambda: bands(learner.fold)
