"""The TCP ports that programs of this terminal listen on, and a way to them."""
