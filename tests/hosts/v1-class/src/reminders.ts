export interface Reminder {
  chat: string;
  text: string;
  due: number;
}

const waiting: Reminder[] = [];

/** Reads "remind 10 water the plants"; anything else is not for us. */
export function parseReminder(chat: string, text: string): Reminder | null {
  const match = /^remind (\d{1,4}) (.+)$/i.exec(text.trim());
  if (!match) return null;
  return { chat, text: match[2], due: Date.now() + Number(match[1]) * 60_000 };
}

export function remember(reminder: Reminder): void {
  waiting.push(reminder);
}

/** Takes the reminders that are due off the list. */
export function takeDue(now: number): Reminder[] {
  const due = waiting.filter((reminder) => reminder.due <= now);
  for (const reminder of due) waiting.splice(waiting.indexOf(reminder), 1);
  return due;
}
