"""Rooms of visualizations: asked for, watched while they grow, kept, given away."""
