"""What runs inside the child: a Python process under virtual time.

``main`` starts it. Only the standard library is imported here, and nothing of ``skill``: the
child loads this folder as a package of a name that no host uses (``main.PACKAGE``).
"""
