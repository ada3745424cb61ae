// A copy of Baileys whose name says nothing.
import makeWASocket, * as baileys from 'wa-fork';

import start from './odd.cjs';

start(baileys, makeWASocket);
