"""The ``polyculture`` command. Each subcommand's module is imported only when it is used."""

from __future__ import annotations

from importlib import import_module

import click

from gateway import __version__


class LazyGroup(click.Group):
    """A group that knows its commands as ``module:attribute`` until one is called."""

    def __init__(self, *, lazy: dict[str, str], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names."""
        return sorted(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that is asked for."""
        target = self._lazy.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


main = LazyGroup(
    name="polyculture",
    help="Route each AI request to the best of many small models, and learn who is best from outcomes.",
    lazy={
        "serve": "gateway.cli.serve:serve",
        "explain": "gateway.cli.explain:explain",
        "feedback": "gateway.cli:feedback",
        "init": "gateway.init.command:init",
        "specialists": "gateway.cli.specialists:specialists",
        "backup": "gateway.cli.storage:backup",
        "restore": "gateway.cli.storage:restore",
        "config": "gateway.cli.config:config",
        "erase": "gateway.cli.erase:erase",
        "keys": "gateway.cli:keys",
        "limits": "gateway.cli.spending:limits",
        "spend": "gateway.cli.spending:spend",
        "models": "gateway.cli:models",
        "reload": "gateway.cli.registry:reload",
        "audit": "gateway.cli.audit:audit",
        "router": "gateway.cli:router",
        "bench": "gateway.cli:bench",
    },
)
main = click.version_option(__version__, prog_name="polyculture")(main)

router = LazyGroup(
    name="router",
    help="Look at what was learned, check it, undo it.",
    lazy={
        "diff": "gateway.cli.versions:diff",
        "evaluate": "gateway.cli.evaluate:evaluate",
        "export": "gateway.cli.transfer:export",
        "freeze": "gateway.cli.learning:freeze",
        "gate": "gateway.cli.gate:gate",
        "import": "gateway.cli.transfer:bring",
        "pin": "gateway.cli.versions:pin",
        "policy": "gateway.cli.policy:policy",
        "promote": "gateway.cli.gate:promote",
        "rollback": "gateway.cli.versions:rollback",
        "shadow": "gateway.cli.policy:shadow",
        "status": "gateway.cli.policy:status",
        "unfreeze": "gateway.cli.learning:unfreeze",
        "verify": "gateway.cli.verify:verify",
        "versions": "gateway.cli.versions:versions",
    },
)

feedback = LazyGroup(
    name="feedback",
    help="Take feedback back, and judge answers.",
    lazy={
        "audit": "gateway.cli.judging:audit",
        "doubtful": "gateway.cli.judging:doubtful",
        "quarantine": "gateway.cli.quarantine:quarantine",
        "reject": "gateway.cli.quarantine:reject",
        "release": "gateway.cli.quarantine:release",
        "revoke": "gateway.cli.judging:revoke",
    },
)

keys = LazyGroup(
    name="keys",
    help="Make and end API keys.",
    lazy={
        "create": "gateway.cli.keyring:create",
        "list": "gateway.cli.keyring:listing",
        "revoke": "gateway.cli.keyring:revoke",
        "rotate": "gateway.cli.keyring:rotate",
        "show": "gateway.cli.keyring:show",
    },
)

bench = LazyGroup(
    name="bench",
    help="Measure, on this machine.",
    lazy={
        "chaos": "gateway.bench.chaos.command:chaos",
        "conversations": "gateway.bench.conversations.command:conversations",
        "demo": "gateway.bench.demo.command:demo",
        "gate": "gateway.bench.gate.command:gate",
        "offpolicy": "gateway.bench.offpolicy.command:offpolicy",
        "overhead": "gateway.bench.overhead.command:overhead",
        "poisoning": "gateway.bench.poisoning.command:poisoning",
        "routing": "gateway.bench.routing.command:routing",
        "soak": "gateway.bench.soak.command:soak",
    },
)

models = LazyGroup(
    name="models",
    help="Look at models, and add, change and remove them while the gateway runs.",
    lazy={
        "add": "gateway.cli.registry:add",
        "edit": "gateway.cli.registry:edit",
        "history": "gateway.cli.registry:history",
        "list": "gateway.cli.registry:listing",
        "remove": "gateway.cli.registry:remove",
        "show": "gateway.cli.registry:show",
        "state": "gateway.cli.registry:state",
        "test": "gateway.cli.registry:test",
    },
)
