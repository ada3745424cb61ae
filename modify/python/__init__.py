"""What Python channels share: which files may hold one, and how a change is planned.

Each file with marks is parsed once; every channel in it is read into a model (``modify.bridge``,
``modify.neonize``), the rules look, and one rewrite settles all of them, or none.
"""
