"""The error of a rewrite whose lines have no place in a file."""

from __future__ import annotations


class CannotPlace(Exception):
    """Why a channel is left as it is; ``str()`` is the reason."""
