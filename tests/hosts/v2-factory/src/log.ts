type Fields = Record<string, unknown>;

function write(level: string, text: string, fields: Fields = {}): void {
  const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  process.stderr.write(`${new Date().toISOString()} ${level} ${text}${rest}\n`);
}

/** The text first, then the fields. */
export const log = {
  debug: (text: string, fields?: Fields) => write('debug', text, fields),
  info: (text: string, fields?: Fields) => write('info', text, fields),
  warn: (text: string, fields?: Fields) => write('warn', text, fields),
  error: (text: string, fields?: Fields) => write('error', text, fields),
};
