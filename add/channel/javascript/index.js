// When this bot may dial WhatsApp. Attempts that repeat too fast get a number
// blocked, so each one waits for its turn here and is counted in a file first:
// the count survives restarts, whatever loop or supervisor is around it.
export * from './accounts.js';
export * from './loop.js';
