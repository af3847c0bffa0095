"""Agent skills: what a home's skill folders teach a model."""
