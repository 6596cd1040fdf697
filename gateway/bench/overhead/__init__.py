"""What a gateway adds to a request: Polyculture, LiteLLM proxy and a bare passthrough under the same load.

prompts      the questions asked: unique, natural, 64 tokens long
mock         the upstream that answers at once
answers      whether a response is what the upstream answered
load         the clients: closed loops over keep-alive connections, in a process of their own
process      a measured process: start to first answer, processor time, resident memory
passthrough  the least that a Python gateway can do
peer         LiteLLM proxy, installed into an environment of its own
gateways     how each gateway is started
session      one gateway in one round: the loads put on it
embedder     what the embedder does alone
measure      rounds over all gateways, and the medians over the rounds
bars         what is derived from the medians, and what is asked of it
report       results.json and the tables
plot         the picture
command      ``polyculture bench overhead``
"""
