// A bot that is held in its own source.
import makeWASocket, * as baileys from '@whiskeysockets/baileys';

import start from './odd.cjs';
import { socket } from './whatsapp-reconnect.mjs';

start(baileys, (config) => socket(makeWASocket, config));
