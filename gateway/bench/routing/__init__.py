"""How well policies route: recorded outcomes replayed, only the chosen models' revealed, many seeds, many scenarios.

recorded    the data: every model's outcome on every prompt
wording     prompts in other words
embeddings  what policies see of a prompt, kept on disk
stream      a stream of requests: who would make what of which, and when it is told
replay      the loop: one pass over a stream
scenarios/  what bends a stream: a module for each family
contenders  the policies by name
peers/      adapters of other people's learners
references  hindsight and full information
figures     a pass in figures, and means over seeds
runner      many passes in many processes
plan        what is asked of a run, made ready
session     a run with its progress shown
protocol    ParetoBandit's own evaluation
report      results.json and the table
plot        the pictures
command     ``polyculture bench routing``
"""
