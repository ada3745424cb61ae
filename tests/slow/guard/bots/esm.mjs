import makeWASocket, * as baileys from '@whiskeysockets/baileys';

import start from './odd.cjs';

start(baileys, makeWASocket);
