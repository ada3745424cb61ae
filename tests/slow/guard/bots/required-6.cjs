const { default: makeWASocket, ...baileys } = require('baileys-6');
const start = require('./odd.cjs');

start(baileys, makeWASocket);
