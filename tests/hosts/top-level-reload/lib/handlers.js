export const handlers = () => [['messages.upsert', () => undefined]];
