"""Code that a rewrite leaves without a use: helpers, flags, log lines and their layout."""
