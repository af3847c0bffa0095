"""The shell server that runs in each user's terminal. It knows nothing of Kubernetes."""

__version__ = "0.1.0"
