"""Rooms of collections: their photos, indices, neighbours and maps."""
