export const name = 'connection.update';

export const run = ({ connection }, client) => {
  if (connection === 'close') client.start();
};
