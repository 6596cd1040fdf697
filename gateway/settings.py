"""The one reader of the environment: every setting is ``POLYCULTURE_<NAME>``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """How this process runs; what it serves is in the configuration file."""

    model_config = SettingsConfigDict(env_prefix="POLYCULTURE_", env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    data_dir: Path = Field(Path(".polyculture"), description="Where the event log and snapshots live.")
    config: Path | None = Field(None, description="The YAML configuration; the demo when left out.")
    api_key: SecretStr | None = Field(
        None, description="The default tenant's API key; made and printed once otherwise."
    )
    admin_key: SecretStr | None = Field(None, description="The admin key; made and printed once otherwise.")
    url: str | None = Field(None, description="The gateway that commands speak to; this machine's when left out.")
    metrics_token: SecretStr | None = Field(None, description="Bearer token for /metrics from other machines.")
    embedder: str = Field(
        "minilm",
        description="minilm, static, sentence-transformers:<model>, or an embeddings endpoint's URL.",
    )
    embedding_model: str = Field("", description="The model's name at a remote embeddings endpoint.")
    embedding_key: SecretStr | None = Field(None, description="The key of a remote embeddings endpoint.")
    embedding_private: bool = Field(False, description="Whether a remote embeddings endpoint may see private requests.")
    embedding_wait_ms: float = Field(250.0, gt=0, description="Longest wait for an embedding, in milliseconds.")
    embedding_cache: int = Field(
        4096, ge=0, description="Prompts whose embedding is kept in memory; of `static`, which is as quick, none."
    )
    frozen: bool | None = Field(
        None,
        description="true: serve what was learned and learn nothing; left out, as it was when last stopped.",
    )
    max_body_bytes: int = Field(20_000_000, gt=0, description="Largest request body.")
    arrival_s: float = Field(
        30.0, gt=0, description="Longest time that a request may go on arriving with fewer than 100 bytes a second."
    )
    max_answer_bytes: int = Field(64_000_000, gt=0, description="Largest buffered answer of an upstream.")
    max_concurrent: int = Field(1024, gt=0, description="Most routed requests under way at once.")
    max_queued: int = Field(1024, ge=0, description="Most requests waiting beyond those; more are answered 503.")
    queue_wait_ms: float = Field(2000.0, gt=0, description="Longest wait in that queue, in milliseconds.")
    drain_s: int = Field(30, ge=0, description="Longest time that requests under way get at a stop, in seconds.")
    durable_wait_ms: float = Field(1000.0, gt=0, description="Longest wait for a decision to reach the disk.")
    feedback_window_days: float = Field(30.0, gt=0, description="How long after a decision feedback is taken.")
    retention_every_s: float = Field(3600.0, gt=0, description="How often events that are too old are dropped.")
    max_disk_mb: float | None = Field(
        None, gt=0, description="Most that the data directory may take, in MB; near it the oldest events go."
    )
    snapshot_every: int = Field(20_000, gt=0, description="Events folded between two saved snapshots.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe line logged.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines look.")
