"""Governance: who did what (audit), for how long data is kept (retention), and how it goes (erasure)."""
