"""Baileys channels in TypeScript and JavaScript: bots that connect from Node or Bun.

What it is
    A file that makes a socket with Baileys (under any name, also a fork's) and mostly listens to
    ``connection.update`` of it. The close branch of that listener is where a bot reconnects.
How it is found
    ``search`` follows names to the call that makes the socket; ``model`` reads the functions
    around it once, into a Channel.
What is done
    The rules look at the Channel. A known close branch is rewritten as a whole (``rewrite``, then
    ``cleanup``); any other dial is held (``hold``); a dial out of sight becomes a finding.
"""
