import makeWASocket, {
  DisconnectReason,
  WASocket,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

type Next = 'dial' | 'rest' | 'quit';

/** What follows a close, by its code; anything that is not listed is a `dial`. */
const NEXT: Record<string, Next> = {
  [DisconnectReason.loggedOut]: 'quit',
  [DisconnectReason.connectionReplaced]: 'rest',
};

let sock: WASocket | undefined;
let isOpen = false;
let wake: (next: Next) => void = () => {};

export async function openLine(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState('store/auth');

  sock = makeWASocket({ auth: state });

  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect } = update;

    if (connection === 'close') {
      isOpen = false;
      const code = (lastDisconnect?.error as any)?.output?.statusCode;
      // run() sleeps until somebody tells it what comes next
      wake(NEXT[code] ?? 'dial');
    } else if (connection === 'open') {
      isOpen = true;
    }
  });

  sock.ev.on('creds.update', saveCreds);
}

/** The life of the line: dial, hold, and decide by the way it ended. */
export async function run(): Promise<Next> {
  for (;;) {
    const ended = new Promise<Next>((resolve) => (wake = resolve));
    await openLine();
    const next = await ended;
    if (next === 'quit') return next;
    if (next === 'rest') await new Promise((done) => setTimeout(done, 3000));
  }
}

export async function call(team: string, text: string): Promise<boolean> {
  if (!isOpen || !sock) return false;
  await sock.sendMessage(team, { text });
  return true;
}
