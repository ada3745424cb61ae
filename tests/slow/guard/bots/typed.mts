import makeWASocket, * as baileys from '@whiskeysockets/baileys';

import start from './odd.cjs';

const make: typeof makeWASocket = makeWASocket;
start(baileys, make);
