"""A Baileys channel as it is read: its functions, its close branch, and the host around it."""
