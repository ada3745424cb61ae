"""Fixture hosts are run by tests/slow/e2e_python, each in a clone of its own."""

collect_ignore_glob = ["*"]
