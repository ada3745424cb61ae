export const listenTo = (sock) => (name, run) => sock.ev.on(name, run);
