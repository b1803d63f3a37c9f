"""Rooms of networks: the list, layers, channels, filters, the drawing, calculators."""
