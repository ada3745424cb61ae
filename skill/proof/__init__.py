"""``apply --prove``: the patched bot beside the unpatched one in storms, before it is written.

``spread`` holds the scenarios that a patch has to stand, ``verdict`` judges each channel by its
promises and by what the bot did unpatched, ``prove`` takes back what fails (a rewrite becomes a
hold, a hold a finding for a person) and tries again, ``memory`` remembers what was proven.
"""
