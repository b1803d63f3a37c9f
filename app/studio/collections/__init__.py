"""Collections: photos that belong together, and what a network made of them. No torch in here."""
