import { describe, expect, it } from 'vitest';

import { parseReminder, remember, takeDue } from './reminders.js';

describe('reminders', () => {
  it('reads minutes and text', () => {
    expect(parseReminder('c', 'Remind 5 tea')?.text).toBe('tea');
    expect(parseReminder('c', 'hello')).toBeNull();
  });

  it('takes what is due, once', () => {
    remember({ chat: 'c', text: 'tea', due: 10 });
    expect(takeDue(9)).toHaveLength(0);
    expect(takeDue(10)).toHaveLength(1);
    expect(takeDue(10)).toHaveLength(0);
  });
});
