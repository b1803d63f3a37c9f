"""Jobs: what takes long: asked for, kept, handed to devices in turn, watched. No torch in here."""
