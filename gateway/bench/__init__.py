"""Measurements that anyone can repeat: what the gateway adds to a request, and how well it routes."""
