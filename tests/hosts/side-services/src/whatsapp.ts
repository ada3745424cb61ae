import makeWASocket, {
  DisconnectReason,
  WASocket,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

const MINUTE = 60_000;

let sock: WASocket | undefined;
let failures = 0;
let waiting: NodeJS.Timeout | undefined;
let answer: NodeJS.Timeout | undefined;
let steady: NodeJS.Timeout | undefined;
let stopping = false;

/** One wait at a time: 5 s, doubled each time, five minutes at most, and some jitter. */
function redial(): void {
  clearTimeout(answer);
  clearTimeout(steady);
  if (stopping || waiting) return;
  const delay = Math.min(5_000 * 2 ** Math.min(failures++, 10), 5 * MINUTE);
  waiting = setTimeout(
    () => {
      waiting = undefined;
      start().catch(redial);
    },
    delay * (1 + Math.random() / 5),
  );
}

export async function start(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState('store/auth');
  const mine = makeWASocket({ auth: state });
  sock = mine;

  // No word within a minute counts as a failure
  answer = setTimeout(() => {
    sock = undefined;
    mine.end(undefined);
    redial();
  }, MINUTE);

  mine.ev.on('creds.update', saveCreds);
  mine.ev.on('connection.update', (update) => {
    if (mine !== sock) return; // not the current socket any more
    const { connection, lastDisconnect, qr } = update;

    if (qr) {
      console.error('not paired');
      process.exit(0);
    }

    if (connection === 'close') {
      const { statusCode } =
        (lastDisconnect?.error as { output?: { statusCode?: number } })
          ?.output ?? {};
      if (statusCode === DisconnectReason.loggedOut) process.exit(0);
      redial();
    } else if (connection === 'open') {
      clearTimeout(answer);
      steady = setTimeout(() => (failures = 0), 5 * MINUTE);
    }
  });
}

export function stop(): void {
  stopping = true;
  clearTimeout(waiting);
  clearTimeout(answer);
  clearTimeout(steady);
  sock?.end(undefined);
}
