const { connect, useMultiFileAuthState } = require('./lib/wa');
const { pier } = require('./lib/pier');

async function open() {
  const { state, saveCreds } = await useMultiFileAuthState('ferries');
  const sock = connect({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') open();
  });
  sock.ev.on('messages.upsert', () => pier(1));
}

open();
