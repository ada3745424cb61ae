"""NanoClaw's skill format: whole-file copies, intents and manifests in ``.claude/skills``."""
