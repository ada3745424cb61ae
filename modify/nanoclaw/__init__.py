"""NanoClaw: its skills, which no other host has.

What it is
    ``.claude/skills/NAME/`` holds whole-file copies (``add/``, ``modify/``), an intent beside each
    copy, and a manifest that lists them. Its engine keeps copies of the tree in ``.nanoclaw/``.
    That was the first form; since summer 2026 a skill's page holds its steps as fences, and an
    update copies what the skills of channels fetch from a branch anew.
How it is found
    By these folders and fences alone.
What is done
    A copy of a patched file is patched, its intent and manifest follow (``channel_assets`` for
    channels, ``skill_assets`` for units), and a copy that would bring the fault back is reported.
    For what an update copies anew (``updates``) there is a patch skill (``patch_skill``).
"""
