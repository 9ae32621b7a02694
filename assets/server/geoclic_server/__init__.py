"""What runs on a town's server: sent as it is, Python 3.10's standard library only."""
