const berths = new Map<string, string>();

/** Answers "book 12", "leave 12" and "who 12"; null for small talk. */
export function answer(from: string, text: string): string | null {
  const match = /^(book|leave|who) (\d+)$/i.exec(text.trim());
  if (!match) return null;
  const [, verb, berth] = match;
  const holder = berths.get(berth);
  if (verb.toLowerCase() === "who") return holder ?? "free";
  if (verb.toLowerCase() === "leave") {
    if (holder === from) berths.delete(berth);
    return "fair winds";
  }
  if (holder && holder !== from) return "taken";
  berths.set(berth, from);
  return `berth ${berth} is yours`;
}
