"""The commands, run on each host in turn; ``skill.cli`` reads their options."""
