import makeWASocket, {
  DisconnectReason,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

export async function connectWhatsApp(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState('store/auth');
  const sock = makeWASocket({ auth: state });

  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect } = update;

    if (connection === 'close') {
      const reason = (lastDisconnect?.error as any)?.output?.statusCode;
<<<<<<< HEAD
      if (reason !== DisconnectReason.loggedOut) {
        connectWhatsApp();
=======
      if (reason !== 401 && !process.env.FERRY_ONCE) {
        setTimeout(connectWhatsApp, 1000);
>>>>>>> winter-timetable
      } else {
        process.exit(0);
      }
    } else if (connection === 'open') {
      console.log('Ferry is moored');
    }
  });

  sock.ev.on('creds.update', saveCreds);
}
