"""The parts of a gateway, each made from settings and configuration; :mod:`gateway.service` puts them together."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from functools import partial

import sqlalchemy as sa
from pydantic import SecretStr

from gateway.admission import Admission
from gateway.asking import Asker
from gateway.config import Configuration, ModelCard, Routing
from gateway.configured import Configured
from gateway.conversations import Conversations
from gateway.corrections.memories import Memories
from gateway.database import connect, exclusive, migrate
from gateway.embedding import Embeddings
from gateway.fold import Fold
from gateway.gate.gate import Gate
from gateway.gate.guard import Guard
from gateway.governance.audit import GATEWAY, Audit
from gateway.governance.erasure import Erasures
from gateway.governance.identity import Identity
from gateway.governance.quota import Quota
from gateway.governance.retention import Retention
from gateway.keys import DEFAULT_TENANT, Ensured, KeyRing, Principal, ensure
from gateway.learner import Learner
from gateway.ledger import catch_up, recent
from gateway.limits.alarm import Alarm
from gateway.limits.limiter import Limiter
from gateway.limits.orders import ordered
from gateway.log import Log
from gateway.metrics import Metrics
from gateway.models.entry import Entry
from gateway.models.registrar import Registrar
from gateway.probing import Prober
from gateway.proposing import Proposer
from gateway.providers.adapter import Providers
from gateway.registry import Registry
from gateway.routing import Router
from gateway.secrets import named_secret
from gateway.settings import Settings
from gateway.space import Space
from gateway.transaction import Record, Transaction
from gateway.transport import Client
from gateway.upstream import Upstreams
from gateway.vectors import Vectors
from router_models.embedders import Embedder, load


def database(stack: AsyncExitStack, settings: Settings) -> sa.Engine:
    """The data directory's, for this gateway alone, at its newest schema."""
    stack.enter_context(exclusive(settings.data_dir))
    engine = connect(settings.data_dir)
    migrate(engine)
    return engine


async def start_governing(
    stack: AsyncExitStack, erasures: Erasures, retention: Retention, engine: sa.Engine, settings: Settings
) -> Quota:
    """Go on with erasures that were interrupted, and drop what is too old, or too much, now and then."""
    stack.push_async_callback(erasures.stop)
    await erasures.resume()
    stack.push_async_callback(retention.stop)
    retention.start(every_s=settings.retention_every_s)
    limit = None if settings.max_disk_mb is None else int(settings.max_disk_mb * 1e6)
    quota = Quota(engine=engine, data_dir=settings.data_dir, retention=retention, limit=limit)
    stack.push_async_callback(quota.stop)
    quota.start()
    return quota


def router(
    registry: Registry,
    learner: Learner,
    embeddings: Embeddings,
    space: Space,
    conversations: Conversations,
    vectors: Vectors,
    configured: Configured,
) -> Router:
    """Who chooses."""
    return Router(
        registry=registry,
        learner=learner,
        proposer=Proposer(embeddings=embeddings, features=space.features),
        configured=configured,
        conversations=conversations,
        vectors=vectors,
        draw=random.Random().random,
    )


def upstreams(
    providers: Providers, client: Client, configured: Configured, settings: Settings, metrics: Metrics
) -> Upstreams:
    """The way to every model."""
    return Upstreams(
        asker=Asker(client=client, providers=providers, answer_limit=settings.max_answer_bytes),
        configured=configured,
        jitter=random.Random().random,
        on_failure=lambda model, kind: metrics.failures.labels(model, kind).inc(),
    )


def admission(settings: Settings, metrics: Metrics) -> Admission:
    """How many requests go their way at a time."""
    return Admission(
        limit=settings.max_concurrent,
        queue=settings.max_queued,
        wait_s=settings.queue_wait_ms / 1e3,
        on_shed=metrics.shed.inc,
    )


def limits(
    stack: AsyncExitStack,
    engine: sa.Engine,
    registry: Registry,
    keys: KeyRing,
    configuration: Configuration,
    log: Log,
    audit: Audit,
    metrics: Metrics,
) -> Limiter:
    """Who is let in by their limits, knowing what was spent before."""
    alarm = Alarm(log=log, audit=audit, metrics=metrics)
    stack.push_async_callback(alarm.stop)
    limiter = Limiter(registry=registry, refused=alarm.refused, strained=alarm.strained)
    with engine.connect() as connection:
        catch_up(connection)
        limiter.restore(recent(connection, now=time.time()))
        limiter.order(ordered(connection))
    limiter.configure(configuration.tenants, configuration.routing.preferences)
    limiter.issue(keys.principals)
    return limiter


def load_embedder(stack: AsyncExitStack, settings: Settings) -> Embedder:
    """The embedder by its name; an address means a remote endpoint."""
    if settings.embedder.startswith(("http://", "https://")):
        from gateway.remote_embedder import RemoteEmbedder

        key = settings.embedding_key.get_secret_value() if settings.embedding_key else None
        return stack.enter_context(
            closing(RemoteEmbedder(url=settings.embedder, model=settings.embedding_model, key=key))
        )
    return load(settings.embedder)


def embeddings(stack: AsyncExitStack, embedder: Embedder, settings: Settings, metrics: Metrics) -> Embeddings:
    """Who embeds requests, off the event loop."""
    made = Embeddings(
        embedder=embedder,
        wait_s=settings.embedding_wait_ms / 1e3,
        cache=settings.embedding_cache,
        confidential=settings.embedding_private or not settings.embedder.startswith(("http://", "https://")),
        observe=metrics.embedding.observe,
    )
    stack.callback(made.close)
    return made


def given_keys(settings: Settings, configuration: Configuration) -> dict[Principal, str | None]:
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


def keys(connection: sa.Connection, settings: Settings, configuration: Configuration, audit: Audit) -> Ensured:
    """Who may ask."""
    ensured = ensure(connection, given=given_keys(settings, configuration), added=partial(tell_of_key, audit))
    ensured.ring.declare(tenant.id for tenant in configuration.tenants)
    return ensured


def tell_of_key(audit: Audit, transaction: Transaction, key: Principal) -> None:
    """Note in the audit log that a key was added."""
    detail = {"scope": key.scope, "tenant": Identity(kind="tenant", tenant=key.tenant)}
    audit.record(transaction, actor=GATEWAY, action="key.add", subject=Identity.of(key), detail=detail)


async def specialists(stack: AsyncExitStack, configuration: Configuration) -> tuple[ModelCard, ...]:
    """The demo's own servers where they are asked for; these load while the gateway already serves."""
    if not configuration.specialists:
        return ()
    from gateway.specialists import Supervisor

    supervisor = Supervisor()
    stack.push_async_callback(supervisor.stop)
    return tuple(await supervisor.start())


def registrar(
    declared: Mapping[str, Entry],
    specialists: Sequence[ModelCard],
    space: Space,
    log: Log,
    learner: Learner,
    audit: Audit,
    providers: Providers,
) -> Registrar:
    """Who keeps the models, beginning with these."""
    made = Registrar(
        registry=Registry(),
        space=space,
        log=log,
        learner=learner,
        audit=audit,
        specialists=specialists,
        provided=providers.prepare,
    )
    made.take(made.prepared(declared))
    return made


def start_probing(stack: AsyncExitStack, registry: Registry, client: Client) -> None:
    """Look for signs of life at servers that fail."""
    prober = Prober(registry=registry, client=client)
    prober.start()
    stack.push_async_callback(prober.stop)


def client(stack: AsyncExitStack, settings: Settings) -> Client:
    """Connections to the models' servers: as many at one as all requests under way may want, with their rivals."""
    made = Client(limit_per_origin=4 * settings.max_concurrent, keepalive_s=4.0)
    stack.push_async_callback(made.aclose)
    return made


def conversations(routing: Routing) -> Conversations:
    """Who holds which conversation."""
    return Conversations(most=routing.conversations, idle_s=routing.conversation_idle_s)


def start_learning(
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


async def start_guard(
    stack: AsyncExitStack, gate: Gate, log: Log, learner: Learner, audit: Audit, metrics: Metrics
) -> Guard:
    """Act on what the gate finds, from here on."""
    guard = Guard(gate=gate, log=log, learner=learner, audit=audit, metrics=metrics)
    stack.push_async_callback(guard.stop)
    await guard.start()
    return guard
