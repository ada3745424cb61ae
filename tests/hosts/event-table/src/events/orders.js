export const name = 'messages.upsert';

export const run = ({ messages }) => messages.length;
