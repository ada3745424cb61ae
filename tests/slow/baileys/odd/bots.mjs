// node bots.mjs KIND: a bot that does something odd around its dials. Each one redials on a close
// at once, and says what it sees on stdout: SEEN and a few words.
import http from 'node:http';

import { connect, linked, say, unlinked } from './library.mjs';

/** Calls `again` on a close; says open, qr, and the code of a close. */
function watch(sock, again) {
  sock.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
    if (qr) say('qr');
    if (connection === 'open') say('open');
    if (connection !== 'close') return;
    say('close', lastDisconnect?.error?.output?.statusCode);
    again();
  });
  return sock;
}

const bots = {
  /** Nothing else pending: no timer, no server, no input. */
  lonely() {
    const creds = linked();
    const start = () => watch(connect(creds), start);
    start();
  },

  /** Ends a socket that has not opened for a while, and dials again. */
  watchdog() {
    const creds = linked();
    const start = () => {
      const sock = watch(connect(creds), () => {
        clearTimeout(timer);
        start();
      });
      const timer = setTimeout(() => sock.end(undefined), 2_000);
      sock.ev.on('connection.update', ({ connection }) => {
        if (connection === 'open') clearTimeout(timer);
      });
    };
    start();
  },

  /** Asks for a pairing code a moment after each socket is made, as many bots do. */
  code() {
    const creds = unlinked();
    let isAsked = false;
    const start = () => {
      const sock = watch(connect(creds), () => {
        say('me', Boolean(creds.me));
        start();
      });
      sock.ev.on('creds.update', (update) => Object.assign(creds, update));
      if (isAsked) return;
      isAsked = true;
      setTimeout(async () => say('code', (await sock.requestPairingCode('4911111')).length), 60);
    };
    start();
  },

  /** A web panel: a person clicks again for a new QR code. */
  panel() {
    const creds = unlinked();
    const start = () => watch(connect(creds), () => setTimeout(start, 300));
    start();
  },

  /** Dials through an agent of its own, as through a proxy. */
  proxy() {
    class Proxy extends http.Agent {
      createConnection(...all) {
        say('proxied');
        return super.createConnection(...all);
      }
    }
    const creds = linked();
    const start = () => watch(connect(creds, { agent: new Proxy() }), start);
    start();
  },

  /** A hundred accounts in one process. */
  hundred() {
    for (let n = 0; n < 100; n += 1) {
      const creds = linked(`49${String(n).padStart(6, '0')}`);
      const start = () => watch(connect(creds), start);
      start();
    }
  },

  /** Not linked, with new keys at each start. */
  unlinked() {
    const creds = unlinked();
    const start = () => watch(connect(creds), start);
    start();
  },
};

say('up');
bots[process.argv[2]]();
