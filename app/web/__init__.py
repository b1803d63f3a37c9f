"""The front door: HTTP and HTML. Never imports torch."""
