"""The networks: which exist, their layers, listening to them."""
