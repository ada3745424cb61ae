const baileys = require('@whiskeysockets/baileys');

module.exports = { ...baileys, connect: baileys.default };
