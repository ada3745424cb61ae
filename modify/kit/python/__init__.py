"""Python: trees with their places in bytes, values of names, imports, and a host's style."""
