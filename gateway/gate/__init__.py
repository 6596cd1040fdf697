"""The gate: what of the learned goes live, what serves beside it, and what has to go again.

standing  one tenant's router before the gate
gate      all tenants'
pins      versions that serve until another is promoted
keeper    what follows, done: rollbacks, promotions, audit entries, figures
"""
