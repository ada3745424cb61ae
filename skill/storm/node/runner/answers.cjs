'use strict';
/** What a person types where a bot asks at its terminal before it dials. */

const QUESTION = /^readline(\/promises)?(\.default|\.promises)?\.createInterface\(\)\.question$/;
const PROMPT = /^(inquirer(\.default)?\.prompt|enquirer(\.default)?\.prompt|prompts(\.default)?)$/;
const ASKS = /^(@inquirer\/prompts|@clack\/prompts)\.(input|select|confirm|text|password|number)$/;

/** What was last printed: a question may stand there, before one without a text is put. */
function printed({ head, tail }) {
  const texts = [...head, ...tail].slice(-6).map(([, , args]) => args.filter((one) => typeof one === 'string'));
  return texts.reverse().flat().join('\n');
}

/** The answer to a question: the first of the choices in it, a number to link, or a word. */
function answer(plain) {
  const [, first] = /[([]\s*([\w-]+)\s*(?:[/|,]|or\b|atau\b|ou\b|o\b)[^)\]]*[)\]]/i.exec(plain) ?? [];
  if (first) return first;
  if (/number|phone|n[uú]mero|nomor|whatsapp|\bwa\b|\+\d/i.test(plain)) return '15550001111';
  return '1';
}

/** Of an object that asks: `{name, message, choices, initial}`, of several of them all answers. */
function chosen({ type, message, choices, options, initial, default: usual }) {
  if (type === 'confirm') return true;
  const given = usual ?? initial;
  if (given !== undefined) return given;
  const [first] = [].concat(choices ?? options ?? []);
  return first === undefined ? answer(String(message ?? '')) : (first?.value ?? first?.name ?? first);
}

/** What a call that asks gives; undefined for any other, and where nobody is to answer. */
function answerTo(world, name, [question, ...more]) {
  const asks = ASKS.exec(name);
  if (!asks && !QUESTION.test(name) && !PROMPT.test(name)) return undefined;
  world.ask(name);
  if (!world.help.rows) return undefined;
  const say = (typed) => {
    world.standIns.add(`"${typed}" typed at the terminal`);
    return typed;
  };
  if (asks) return Promise.resolve(say(chosen({ type: asks[2], ...question })));
  if (PROMPT.test(name)) {
    const every = [].concat(question ?? []).map((one) => [one.name ?? 'value', say(chosen(one))]);
    return Promise.resolve(Object.fromEntries(every));
  }
  const typed = say(answer(/\w/.test(question) ? String(question) : printed(world)));
  const last = more.at(-1);
  if (typeof last !== 'function') return Promise.resolve(typed);
  world.proc.globals.setImmediate(() => last(typed));
  return undefined;
}

module.exports = { answerTo };
