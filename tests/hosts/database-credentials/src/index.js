import {
  BufferJSON,
  initAuthCreds,
  makeWASocket,
} from '@whiskeysockets/baileys';

import { rowOf } from './rows.js';

const rows = new Map();

async function useStoredState(id) {
  const stored = rows.get(rowOf(id, 'creds'));
  const creds = stored
    ? JSON.parse(stored, BufferJSON.reviver)
    : initAuthCreds();
  const keys = {
    get: async (type, ids) =>
      Object.fromEntries(
        ids.map((each) => [each, rows.get(rowOf(type, each))]),
      ),
    set: async () => undefined,
  };
  const save = async () => {
    rows.set(rowOf(id, 'creds'), JSON.stringify(creds, BufferJSON.replacer));
  };
  return { state: { creds, keys }, save };
}

export class Line {
  async open(id) {
    const { state, save } = await useStoredState(id);
    this.sock = makeWASocket({ auth: state, syncFullHistory: false });
    this.sock.ev.process(async (events) => {
      if (events['creds.update']) await save();
      if (events['connection.update']?.connection === 'close') this.open(id);
    });
  }
}

new Line().open('pharmacy');
