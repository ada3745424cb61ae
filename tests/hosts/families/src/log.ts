/** The text first, then what belongs to it. */
function line(level: string, text: string, fields: object = {}): void {
  console.log(level, text, JSON.stringify(fields));
}

export const log = {
  info: (text: string, fields?: object) => line('info', text, fields),
  warn: (text: string, fields?: object) => line('warn', text, fields),
  error: (text: string, fields?: object) => line('error', text, fields),
};
