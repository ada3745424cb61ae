/**
 * Pairs a phone, once, and ends:
 *   npm run auth
 *   npm run auth -- --phone 4912345
 */
import fs from 'fs';

import makeWASocket, {
  DisconnectReason,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

const AUTH_DIR = './store/auth';
const STATUS = './store/pairing.txt';

const at = process.argv.indexOf('--phone');
const phone = at > 0 ? process.argv[at + 1] : undefined;

async function connectSocket(afterPairing = false): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(AUTH_DIR);

  if (state.creds.registered && !afterPairing) {
    console.log('Paired already. Delete store/auth to pair anew.');
    process.exit(0);
  }

  const sock = makeWASocket({ auth: state });

  if (phone && !state.creds.me) {
    setTimeout(async () => {
      console.log('Code:', await sock.requestPairingCode(phone));
    }, 3000);
  }

  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect, qr } = update;

    if (qr && !phone) {
      fs.writeFileSync(STATUS, `qr ${qr}`);
      console.log('Show this to the phone:', qr);
    }

    if (connection === 'close') {
      const reason = (lastDisconnect?.error as any)?.output?.statusCode;
      if (reason === DisconnectReason.restartRequired) {
        // The phone said yes; the link is finished on a second socket
        connectSocket(true);
      } else {
        fs.writeFileSync(STATUS, `failed ${reason ?? 'without a reason'}`);
        console.error('Not paired:', reason);
        process.exit(1);
      }
    }

    if (connection === 'open') {
      fs.writeFileSync(STATUS, 'paired');
      console.log('Paired. The service can be started now.');
      setTimeout(() => process.exit(0), 1000);
    }
  });

  sock.ev.on('creds.update', saveCreds);
}

fs.mkdirSync(AUTH_DIR, { recursive: true });
connectSocket().catch((err) => {
  console.error('Not paired:', err);
  process.exit(1);
});
