"""The rules for code that connects to WhatsApp, or to a bridge."""
