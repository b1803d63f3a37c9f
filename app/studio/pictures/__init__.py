"""Pictures: bytes from outside -> pictures that are safe to show. No torch in here."""
