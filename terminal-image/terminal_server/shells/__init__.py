"""Interactive shells, which outlive the connections to them."""
