"""Runs the cells of notebooks on Jupyter kernels of the user's own Python."""
