"""The rewrites of a neonize client, one for each way in which its host connects."""
