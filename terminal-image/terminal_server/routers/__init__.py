"""The routes: they read requests and write answers, and leave the work to others."""
