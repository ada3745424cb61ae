import * as baileys from 'baileys-6';
import { makeWASocket } from 'baileys-6';

import start from './odd.cjs';

start(baileys, makeWASocket);
