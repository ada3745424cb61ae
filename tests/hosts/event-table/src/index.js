import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

import * as connection from './events/connection.js';
import * as orders from './events/orders.js';

const events = [connection, orders];

export class Client {
  async start() {
    const { state, saveCreds } = await useMultiFileAuthState('bakery');
    this.sock = makeWASocket({ auth: state });
    this.sock.ev.on('creds.update', saveCreds);
    for (const { name, run } of events)
      this.sock.ev.on(name, (data) => run(data, this));
  }
}

new Client().start();
