"""What learning is worth, over plain HTTP: mixed prompts, answers scored honestly, each score given as feedback.

material  what prompts are made of, as data
scores    how good an answer is, by the prompt's right answer alone
tasks     prompts of seven kinds, each with its score
mix       a seeded sequence of different prompts
gateway   a gateway of its own process, and a client of it
session   one gateway that answers all the prompts: learning, frozen, or one model alone
plan      which sessions there are, and running them side by side
findings  what the sessions show
report    results.json and the tables
plot      the picture
command   ``polyculture bench demo``
"""
