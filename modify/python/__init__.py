"""Shared parts of the Python channels: which files may hold one, how a change is planned.

Each file with marks is parsed once; every channel in it is read into a model (``modify.bridge``,
``modify.neonize``), the rules look, and one rewrite settles all of them, or none.
"""
