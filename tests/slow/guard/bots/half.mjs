// Two accounts: the loop of one is rewritten, nobody knows of the other.
import makeWASocket, * as baileys from '@whiskeysockets/baileys';

import start from './odd.cjs';
import './rewritten.mjs';

start(baileys, makeWASocket, '4922222', 'other.json');
