"""The description of all addresses for programs: schemas, examples, failures, and its page."""
