"""Schemas: what `.json` addresses answer, a module for each room, with examples for OpenAPI.

Rows that pages show too are TypedDicts; those that lower rooms make are theirs.
"""
