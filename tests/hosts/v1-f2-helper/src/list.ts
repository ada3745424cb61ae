const items = new Set<string>();

/** "+milk" puts milk on the list, "-milk" takes it off, "?" reads it out. */
export function obey(text: string): string | null {
	const item = text.slice(1).trim().toLowerCase();
	switch (text[0]) {
		case '+':
			items.add(item);
			return `${item} is on the list`;
		case '-':
			return items.delete(item) ? `${item} is off` : `${item} was not on it`;
		case '?':
			return [...items].join(', ') || 'nothing to buy';
		default:
			return null;
	}
}
