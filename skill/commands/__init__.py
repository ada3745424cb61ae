"""What the commands do, one after the other with each host; ``skill.cli`` reads their options."""
