// Two copies of Baileys in one process, an account for each.
import { createRequire } from 'node:module';

import makeWASocket, * as baileys from '@whiskeysockets/baileys';

import start from './odd.cjs';

const other = createRequire(import.meta.url)('wa-common');
start(baileys, makeWASocket);
start(other, other.default, '4922222', 'other.json');
