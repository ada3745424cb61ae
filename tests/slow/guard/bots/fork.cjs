// A copy of Baileys in CommonJS, whose name says nothing.
const baileys = require('wa-common');
const start = require('./odd.cjs');

start(baileys, baileys.makeWASocket);
