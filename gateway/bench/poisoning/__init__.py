"""What dishonest feedback does to a running gateway, with its defences and without, and whether it can be taken back.

population    who asks what, who means ill, and what they say of an answer
installation  a gateway before models that answer at once, spoken to over HTTP
replaying     recorded outcomes asked and rated one after the other
forgetting    what is known after a revocation, beside the fold of a log that never had it
plan          a whole run: three passes for each seed
report        figures, bars, results.json
plot          quality over the requests
"""
