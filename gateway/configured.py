"""The configuration that holds now: a reload puts another one in its place, whole, between two events of the loop."""

from __future__ import annotations

from gateway.config import Configuration


class Configured:
    """Who needs a part of the configuration looks it up here whenever it is needed."""

    def __init__(self, *, configuration: Configuration) -> None:
        self.adopt(configuration)

    def adopt(self, configuration: Configuration) -> None:
        """Let this one hold."""
        self.configuration = configuration
        self.routing = configuration.routing
        self.metrics = configuration.metrics
        self.tenants = {tenant.id: tenant for tenant in configuration.tenants}
