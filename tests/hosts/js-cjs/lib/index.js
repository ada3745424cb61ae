"use strict";

const { startSock } = require("./bot");

startSock().catch((err) => {
  console.error("Gannet failed to start", err);
  process.exit(1);
});
