"""What admins ask and order: one module a noun, each a group of operations that need an admin key."""

from __future__ import annotations

from gateway.admin.audit import Auditing
from gateway.admin.configuration import Configuring
from gateway.admin.erasures import Erasing
from gateway.admin.feedback import Judging
from gateway.admin.gate import Gatekeeping
from gateway.admin.keys import Keyholding
from gateway.admin.learning import Learning
from gateway.admin.limits import Limiting
from gateway.admin.models import Modelling
from gateway.admin.policies import Policies
from gateway.admin.quarantine import Quarantined
from gateway.admin.spend import Spends
from gateway.admin.standings import Standings
from gateway.admin.suggestions import Suggesting
from gateway.admin.transfer import Transfer
from gateway.admin.versions import Versioning
from gateway.operations import Group

#: Every group; a new one joins the routes and the published description by its line here. Wider paths come last.
GROUPS: tuple[type[Group], ...] = (
    Standings,
    Modelling,
    Suggesting,
    Configuring,
    Policies,
    Gatekeeping,
    Learning,
    Versioning,
    Transfer,
    Judging,
    Quarantined,
    Keyholding,
    Limiting,
    Spends,
    Auditing,
    Erasing,
)
