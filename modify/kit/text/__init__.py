"""Formats that are neither TypeScript nor Python, understood by a library and located in bytes."""
