// What every bot here does once it has Baileys: it connects synchronously, keeps its
// credentials in a file of its own, and dials again at once on every close.
//
//   WHATSAPP_URL, WHATSAPP_ROOT   where Baileys dials, and the key that it trusts
//   BOT_END                       at this code it ends, as most bots do at 401
//
// Says what it sees on stdout, one word a line: open, or the code of a close.
const dns = require('dns');
const fs = require('fs');

// The bots that are bundles dial WhatsApp's own name; nothing leaves this machine.
dns.lookup = (name, options, callback = options) => {
  const found = options.all
    ? [{ address: '127.0.0.1', family: 4 }]
    : '127.0.0.1';
  process.nextTick(callback, null, found, 4);
};

const quiet = { level: 'silent', child: () => quiet };
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
  quiet[level] = () => {};

const { BOT_END, WHATSAPP_ROOT, WHATSAPP_URL } = process.env;

module.exports = function start(baileys, makeWASocket, ...account) {
  const config = prepare(baileys, ...account);
  connect();

  function connect() {
    const sock = makeWASocket(config);
    sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      const code = lastDisconnect?.error?.output?.statusCode;
      if (connection === 'open') console.log('open');
      if (connection !== 'close') return;
      console.log(String(code));
      if (String(code) === BOT_END) process.exit(0);
      connect();
    });
  }
};

// What makeWASocket() is given, with the credentials of an account that is linked.
module.exports.prepare = prepare;
function prepare(baileys, id = '4911111', name = 'creds.json') {
  const { BufferJSON, WA_CERT_DETAILS, initAuthCreds } = baileys;
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(WHATSAPP_ROOT, 'hex');
  if (!fs.existsSync(name)) {
    const linked = {
      me: { id: `${id}:1@s.whatsapp.net` },
      account: {},
      registered: true,
    };
    const fresh = { ...initAuthCreds(), ...linked, signalIdentities: [] };
    fs.writeFileSync(name, JSON.stringify(fresh, BufferJSON.replacer));
  }
  const creds = JSON.parse(fs.readFileSync(name, 'utf8'), BufferJSON.reviver);
  const auth = { creds, keys: { get: async () => ({}), set: async () => {} } };
  const browser = ['odd', 'bot', '1'];
  return { auth, logger: quiet, waWebSocketUrl: WHATSAPP_URL, browser };
}
