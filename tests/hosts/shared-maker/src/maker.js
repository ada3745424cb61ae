import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

export async function createSocket(folder) {
  const { state, saveCreds } = await useMultiFileAuthState(folder);
  const sock = makeWASocket({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  return sock;
}
