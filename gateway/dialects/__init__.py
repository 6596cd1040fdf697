"""The ways of speaking to the gateway: each is translated to chat completions and back, on the request's way."""
