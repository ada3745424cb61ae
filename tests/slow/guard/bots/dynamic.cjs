const start = require('./odd.cjs');

import('@whiskeysockets/baileys').then((baileys) =>
  start(baileys, baileys.default),
);
