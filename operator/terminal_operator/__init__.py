"""A Kubernetes operator that gives each user one private Linux shell."""

__version__ = "0.1.0"
