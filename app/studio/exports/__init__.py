"""Exports: what a page shows as files that leave it: notebooks, scripts, tables. No torch."""
