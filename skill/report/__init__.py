"""How a plan and its outcome are shown: text, JSON, diffs and the next commands."""
