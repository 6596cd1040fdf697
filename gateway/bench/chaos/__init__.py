"""What a gateway is worth when its upstreams misbehave: hangs, resets, errors, garbage, halves and drips."""
