"""Limits and budgets of tenants and keys: what a request takes of them, and gives back."""
