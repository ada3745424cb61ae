const turns = new Map<string, string>();

/** Answers "water monday" and "who monday"; null for small talk. */
export function answer(gardener: string, text: string): string | null {
  const match = /^(water|who) (\w+day)$/i.exec(text.trim());
  if (!match) return null;
  const day = match[2].toLowerCase();
  if (match[1].toLowerCase() === 'who') return turns.get(day) ?? 'nobody yet';
  turns.set(day, gardener);
  return `${day} is yours`;
}
