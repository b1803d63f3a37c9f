"""The work: what was asked, in which order, how far it is."""
