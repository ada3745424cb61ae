"""The hold: each call that makes a socket waits for its turn, and nothing else changes."""
