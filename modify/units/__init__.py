"""Service units: what starts the bot again, wherever the text of it lies.

What it is
    A unit of systemd, a property list of launchd, a service of a compose file, an app of pm2, a
    program of supervisord, a loop in a shell script, or ``docker run --restart``.
How it is found
    ``locate`` finds the texts: files, template literals, heredocs, strings in Python, documents.
    ``started_program`` tells whether one starts this host, something else, or nobody knows.
What is done
    The rules look at those that start the host. Byte edits settle what they find, and the host's
    own tests that repeat the text follow. What may be the bot, and cannot be told, is handed off.
"""
