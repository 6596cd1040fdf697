"""How honest off-policy estimates are: logs simulated with the real router, where the truth is known.

world    requests, arms and rewards, from a seed
traffic  the router learning in a world, its decisions logged; and policies to ask the log about
study    every estimator on every log, beside the truth
report   results.json and the table
plot     the picture
command  ``polyculture bench offpolicy``
"""
