"""Service units: texts that make a supervisor start the bot again, wherever they lie.

What it is
    A unit of systemd, a property list of launchd, a service of a compose file, an app of pm2, a
    program of supervisord, a loop in a shell script, or ``docker run --restart``.
How it is found
    ``locate`` finds the texts: files, template literals, heredocs, strings in Python, documents.
    ``started_program`` decides whether one starts this host, something else, or an unknown program.
What is done
    The rules look at those that start the host. Byte edits settle what they find, and the host's
    own tests that repeat the text follow. A unit that may or may not be the bot's is handed off.
"""
