const shut = new Set<number>();

/** Answers "shut 3", "open 3" and "lock 3"; null for small talk. */
export function answer(text: string): string | null {
  const match = /^(shut|open|lock) (\d+)$/i.exec(text.trim());
  if (!match) return null;
  const lock = Number(match[2]);
  const verb = match[1].toLowerCase();
  if (verb === 'shut') shut.add(lock);
  if (verb === 'open') shut.delete(lock);
  return `lock ${lock} is ${shut.has(lock) ? 'shut' : 'open'}`;
}
