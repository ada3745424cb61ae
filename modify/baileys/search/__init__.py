"""Where a host dials WhatsApp through Baileys, under any name, and where it may do so unseen."""
