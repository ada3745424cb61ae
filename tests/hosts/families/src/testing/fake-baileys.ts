import { EventEmitter } from 'events';

/** Baileys as far as the towers use it, and a town that can cut the line. */
class FakeEvents extends EventEmitter {
  process(handler: (events: Record<string, unknown>) => void): void {
    const names = ['connection.update', 'creds.update'];
    for (const name of names) {
      this.on(name, (given) => handler({ [name]: given }));
    }
  }
}

export class FakeSocket {
  ev = new FakeEvents();
  end = (): void => {};
}

export const sockets: FakeSocket[] = [];

export function makeWASocket(): FakeSocket {
  sockets.push(new FakeSocket());
  return sockets[sockets.length - 1];
}

export default makeWASocket;

export const DisconnectReason = {
  connectionClosed: 428,
  connectionReplaced: 440,
  loggedOut: 401,
};

export async function useMultiFileAuthState() {
  return { state: { creds: {}, keys: {} }, saveCreds: async () => {} };
}

function tell(update: object): void {
  sockets[sockets.length - 1].ev.emit('connection.update', update);
}

export const open = () => tell({ connection: 'open' });

export function drop(statusCode: number): void {
  const error = { output: { statusCode } };
  tell({ connection: 'close', lastDisconnect: { error } });
}
