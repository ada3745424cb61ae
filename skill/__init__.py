"""The program: looks at a host project, plans the change, reviews, applies and reverts it."""

__version__ = "0.1.0"
