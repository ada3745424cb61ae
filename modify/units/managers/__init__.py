"""Process managers, one a file: how each reads its configuration and where that starts the bot."""
