const baileys = require('@whiskeysockets/baileys');
const start = require('./odd.cjs');

start(baileys, baileys.default);
