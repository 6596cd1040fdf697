"""The mathematics of routing: pure numerics, no I/O, no clock, no global randomness. See README.md beside this file."""
