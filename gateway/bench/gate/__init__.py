"""The gate held to its word: on running gateways over HTTP, and over many simulated runs in which nothing is wrong.

world       requests of which every model's outcome is known
permuting   an exported file in which what is known of one model is told of another
upstreams   model servers on loopback, and a gateway before them
trying      a bad version brought in by force, and what becomes of it
carrying    an export brought into another installation
returning   rollbacks under load
simulation  a router behind its gate, without log and HTTP
quiet       simulated runs in which nothing is wrong
plan        a whole run
report      results.json, and a table for people
plot        a bad version's outcomes beside the control's
"""
