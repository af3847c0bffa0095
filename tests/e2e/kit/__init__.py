"""What the tests on a real cluster are written with: the cluster, Terminals, and the shells behind their URLs."""
