// A copy of Baileys that is the function itself.
const makeWASocket = require('wa-function');
const start = require('./odd.cjs');

start(makeWASocket, makeWASocket);
