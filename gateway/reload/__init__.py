"""Reading the configuration file again while the gateway runs: checked whole, then taken whole, or not at all."""
