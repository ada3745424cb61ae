"""Python programs that dial WhatsApp themselves, through neonize (whatsmeow, in Go)."""
