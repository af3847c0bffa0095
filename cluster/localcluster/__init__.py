"""A real one-node Kubernetes on this machine, for the demo and the tests of this repository.

Standard library only: it runs with a plain Python 3.11 before anything is installed. See docs/cluster.md.
"""
