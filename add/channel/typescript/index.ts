// When this bot may connect to WhatsApp. Attempts that repeat too fast get a
// number blocked, so each one waits for its turn here and is first counted in a
// file: the count survives restarts, whatever loop or supervisor is around it.
export * from './accounts.js';
export * from './loop.js';
