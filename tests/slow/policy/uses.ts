// How patched hosts use the module: pino and plain loggers, Baileys' event, fake sockets.
import { Reconnect, ReconnectStopped } from './whatsapp-reconnect.js';

interface Boom {
  isBoom: true;
  output: { statusCode: number };
}
interface State {
  connection: 'open' | 'connecting' | 'close';
  qr?: string;
  isOnline?: boolean;
  lastDisconnect?: { error: Boom | Error | undefined; date: Date };
}
type Update = Partial<State>;
interface LogFn {
  (message: string, ...rest: unknown[]): void;
  (fields: object, message?: string, ...rest: unknown[]): void;
}
type Plain = (message: string, data?: Record<string, unknown>) => void;

declare const pino: { info: LogFn; warn: LogFn; error: LogFn; debug: LogFn };
declare const log: Record<'info' | 'warn' | 'error', Plain>;
declare const update: Update;
declare const sock: { end(error: Error | undefined): void; ev: object } | undefined;

const one = new Reconnect({ authDir: 'store/auth', logger: pino, pairing: false });
new Reconnect({ authDir: () => 'store/auth', logger: log });
new Reconnect({ authDir: 'store/auth', logger: console });
new Reconnect({ authDir: 'store/auth', logger: { info: log.info } });

export async function connect(attempt: number): Promise<boolean> {
  const { connection, lastDisconnect, qr } = update;
  if (!one.observe(update, attempt, sock)) return false;
  if (!one.observe({ connection, lastDisconnect, qr }, attempt)) return false;
  const stopped = (reason: Error) => void reason.message;
  one.dial(() => connect(attempt), { stopped, late: () => undefined });
  const saveCreds = async (value: Update) => void value;
  const save: (value: Update) => Promise<void> = one.saving(saveCreds);
  one.saving(() => 1);
  await save(update);
  one.exitIfAlone(() => true);
  one.stop();
  const error: unknown = new ReconnectStopped('x');
  const refused = one.terminal && error instanceof ReconnectStopped;
  return refused && (await one.turn()) > 0;
}
