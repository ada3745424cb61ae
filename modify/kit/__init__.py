"""Readers and writers of source text that know nothing of WhatsApp."""
