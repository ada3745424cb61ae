type Fields = Record<string, unknown>;

const write = (level: string, fields: Fields, text: string) =>
	process.stderr.write(`${level} ${text} ${JSON.stringify(fields)}\n`);

/** Fields first, then the text, as pino does it. */
export const log = {
	info: (fields: Fields, text: string) => write('info', fields, text),
	warn: (fields: Fields, text: string) => write('warn', fields, text),
	error: (fields: Fields, text: string) => write('error', fields, text),
};
