"""The golden master: what skillgen plans, prints and adds, for every input that the tests have.

A restructuring leaves it untouched; a deliberate change is accepted in its own commit, and the
lines that it changes in ``master.txt`` say where to look.
"""
