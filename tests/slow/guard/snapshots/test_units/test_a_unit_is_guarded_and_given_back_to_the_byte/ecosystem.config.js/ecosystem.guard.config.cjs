// Guard by skillgen VERSION: the bot connects no more often than is safe.
// Take it back with: skillgen guard --remove --unit ecosystem.config.js
const config = require("./ecosystem.config.js");
const [guarded, guard, memory] = [["bot"], "--require=\"/tmp/x/a home/.local/share/skillgen/guard.cjs\"", "/tmp/x/bot/.whatsapp-reconnect"];

for (const app of config.apps || [].concat(config)) {
  if (!guarded.includes(app.name)) continue;
  app.env = app.env || {};
  for (const key of Object.keys(app).filter((name) => /^env(_|$)/.test(name))) {
    const env = app[key];
    const own = env.NODE_OPTIONS || (key === 'env' ? '' : app.env.NODE_OPTIONS) || '';
    env.NODE_OPTIONS = `${own.replace(guard, '').trim()} ${guard}`.trim();
    env.WHATSAPP_RECONNECT_DIR = env.WHATSAPP_RECONNECT_DIR || memory;
  }
}
module.exports = config;
