'use strict';
// Limits how often a WhatsApp bot connects; none of the bot's files is changed.
//
//   NODE_OPTIONS=--require=/path/of/this/file   (Bun: BUN_OPTIONS=--preload=…)
//
// It wraps Baileys' makeWASocket and useMultiFileAuthState for whoever imports
// them. This part is plain enough for any version of Node and never throws;
// the rest, in the comment below, needs the version that is named here.
// Two names that Node looks for when this is a module of hooks.
exports.resolve = undefined;
exports.load = undefined;
(function load() {
  var OLDEST = 16;
  var mark = '\n/* --- The guard --- ';
  var version = process.versions && process.versions.node;
  try {
    if (!(parseInt(version, 10) >= OLDEST))
      throw new Error('needs Node ' + OLDEST);
    var text = require('fs').readFileSync(__filename, 'utf8');
    var start = text.lastIndexOf(mark) + mark.length;
    var end = text.lastIndexOf('*/');
    var source = text.slice(start, end).replace(/\*\\(\\*)\//g, '*$1/');
    // The same line numbers as in this file.
    var above = text.slice(0, start).replace(/[^\n]+/g, '');
    if (typeof module._compile === 'function')
      module._compile(above + source, __filename);
    else
      new Function('require', 'module', 'exports', source)(
        require,
        module,
        exports,
      );
  } catch (error) {
    try {
      console.error(
        'WhatsApp: not guarded (Node ' +
          version +
          ', ' +
          __filename +
          '): ' +
          error,
      );
    } catch (_) {
      // A log line is not worth a bot.
    }
  }
})();
