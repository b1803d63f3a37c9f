"""How fast and how right: run by hand, the last results kept in benchmarks/results."""
