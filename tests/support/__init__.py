"""What tests share: a model server that can be told what to say, and real gateways in front of it."""
