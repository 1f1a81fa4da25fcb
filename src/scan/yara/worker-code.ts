/**
 * What runs in the worker. It holds the WebAssembly of YARA-X, compiles rules and scans what it is sent, one request at a
 * time; whoever started it ends it when it takes too long. Rules of public collections ask for these variables.
 */
export const workerCode = `
const { readFileSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const variables = ['filename', 'filepath', 'extension', 'filetype', 'owner'];
const maxMatches = 100;
const maxStrings = 5;
const maxText = 300;
let yara, memory, rules;

async function load() {
  yara = await import(workerData.script);
  ({ memory } = await yara.default({ module_or_path: readFileSync(new URL(workerData.wasm)) }));
}

async function compile({ files }) {
  if (yara === undefined) await load();
  const refused = [];
  let good = files.map((text, index) => ({ text, index }));
  for (;;) {
    const compiler = new yara.Compiler();
    try {
      for (const one of variables) compiler.defineGlobal(one, '');
      const bad = new Map();
      for (const { text, index } of good) {
        // Rules of different files may have one name.
        compiler.newNamespace(String(index));
        try {
          compiler.addSource(text);
        } catch (error) {
          bad.set(index, String(error && error.message).slice(0, 2000));
        }
      }
      if (bad.size === 0) {
        rules = good.length === 0 ? undefined : compiler.build();
        break;
      }
      for (const [index, message] of bad) refused.push({ index, message });
      good = good.filter(({ index }) => !bad.has(index));
    } finally {
      compiler.free();
    }
  }
  return { refused, used: good.length, memory: memory.buffer.byteLength };
}

const text = (value) => String(value).slice(0, maxText);

function scan({ bytes, names, timeoutMs }) {
  if (rules === undefined) return { matches: [], memory: 0 };
  const scanner = rules.scanner();
  try {
    scanner.setTimeoutMs(timeoutMs);
    scanner.setMaxMatchesPerPattern(maxStrings);
    for (const one of variables) scanner.setGlobal(one, names[one] ?? '');
    const { matches } = scanner.scan(bytes);
    return {
      matches: matches
        .filter(({ isPrivate, isGlobal }) => !isPrivate && !isGlobal)
        .slice(0, maxMatches)
        .map(({ identifier, namespace, tags, metadata, patterns }) => ({
          rule: text(identifier),
          index: Number(namespace),
          tags: tags.slice(0, 20).map(text),
          description: metadata.filter((one) => one.identifier === 'description').map((one) => text(one.value))[0],
          strings: patterns
            .filter((one) => !one.isPrivate)
            .flatMap((one) => one.matches.slice(0, 1).map(({ offset, length }) => ({ id: text(one.identifier), offset, length })))
            .slice(0, maxStrings),
        })),
      memory: memory.buffer.byteLength,
    };
  } finally {
    scanner.free();
  }
}

parentPort.on('message', async (message) => {
  try {
    parentPort.postMessage(message.kind === 'compile' ? await compile(message) : scan(message));
  } catch (error) {
    // Where Rust finds no memory it stops at once, and what it leaves is not to be used again.
    const broken = error instanceof WebAssembly.RuntimeError;
    parentPort.postMessage({ error: String(error && error.message).slice(0, 500), broken });
  }
});`;
