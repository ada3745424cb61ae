// How patched hosts use the module: pino and plain loggers, Baileys' event, fake sockets.
import { Reconnect } from './whatsapp-reconnect.js';

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

const one = new Reconnect({ authDir: 'store/auth', logger: pino, pairing: false });
new Reconnect({ authDir: () => 'store/auth', logger: log });
new Reconnect({ authDir: 'store/auth', logger: console });
new Reconnect({ authDir: 'store/auth', logger: { info: log.info } });

interface Config {
  auth: { creds: object };
  browser?: [string, string, string];
}
interface Sock {
  ev: { on(event: 'connection.update', heard: (update: Update) => void): void };
  end(error: Error | undefined): void;
}
declare const makeWASocket: (config: Config) => Sock;
declare const openSocket: (folder: string) => Promise<Sock>;

export async function connect(): Promise<boolean> {
  const sock: Sock = one.socket(makeWASocket, { auth: { creds: {} }, browser: ['a', 'b', 'c'] });
  const other: Sock = one.watch(await openSocket('store/auth'));
  const stopped = (reason: Error) => void reason.message;
  sock.ev.on('connection.update', (update) => {
    if (update.connection !== 'close' || one.terminal) return;
    void one.dial(() => connect(), { stopped, late: () => undefined });
  });
  await one.dial(() => other.end(undefined));
  one.exitIfAlone(() => true);
  one.stop();
  return one.terminal;
}
