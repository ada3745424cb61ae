"""TypeScript and JavaScript: trees, functions, and how a host lays its code out."""
