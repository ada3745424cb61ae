"""``apply --verify``: the host's own build, type check and tests, before and after the patch."""
