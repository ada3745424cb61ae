// What an ES module gets of a package in CommonJS: its exports, as the default.
import baileys from 'wa-common';

import start from './odd.cjs';

start(baileys, baileys.default);
