"""Synthesis: a Visualization -> Progress step by step, and in the end what was made and measured.

One module for each kind; the optics (app/vision) know nothing of recipes, files or facts.
"""
