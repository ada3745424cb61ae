/** What the bell says for a ferry that leaves in so many minutes. */
export function ring(minutes: number): string {
  if (minutes <= 0) return "The ferry has left"
  return minutes < 5 ? "Run!" : `The ferry leaves in ${minutes} minutes`
}
