"""The gate: what of the learned goes live, what serves beside it, and what has to go again.

standing   one tenant's router before the gate
gate       all tenants'
resuming   trials that were interrupted
pins       versions that serve until another is promoted
acts       what was found
keeper     what follows, done: rollbacks, promotions, audit entries, figures
promotion  what is promoted, and what speaks for it
comparing  candidates and shadows on logged decisions
logged     the log, read for that
guard      the gate and its keeper in a running gateway
"""
