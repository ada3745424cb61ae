"""A host's own tests that assert the fault, and would fail once it is mended.

What it is
    A test that expects ``exit(1)`` after a QR code, or ``Restart=always`` in a unit.
How it is found
    By its assertion, and by the file it imports: only where that file is changed.
What is done
    The expected value follows the change; ambiguous assertions are handed off.
"""
