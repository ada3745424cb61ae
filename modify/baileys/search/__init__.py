"""Where a host connects through Baileys, under any name, and where it may do so unseen."""
