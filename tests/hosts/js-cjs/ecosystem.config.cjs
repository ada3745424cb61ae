module.exports = {
  apps: [{ name: "gannet", script: "lib/index.js", restart_delay: 3000 }],
};
