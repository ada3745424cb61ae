"""The rules of what dials WhatsApp, or a bridge to it."""
