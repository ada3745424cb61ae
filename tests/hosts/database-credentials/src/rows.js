export const rowOf = (table, key) => `${table}:${key}`;
