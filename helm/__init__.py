"""What the chart says of itself, made from its values and from the gateway: ``python -m helm`` writes it anew."""
