// The reference JSONata on the expressions of our bench: microseconds to compile and to evaluate each.

import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import jsonata from 'jsonata';

const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
const expressions = read('expressions.json');
const states = read('states.json');

/** Median of eleven samples of at least 20 ms each, after a warm-up of 200 ms. */
async function microseconds(action) {
  const round = async (ms) => {
    const began = performance.now();
    let count = 0;
    while (performance.now() - began < ms) {
      for (let i = 0; i < 8; i++) await action();
      count += 8;
    }
    return ((performance.now() - began) * 1000) / count;
  };
  await round(200);
  const samples = [];
  for (let i = 0; i < 11; i++) samples.push(await round(20));
  return samples.sort((a, b) => a - b)[5];
}

const show = (...cells) => console.log(cells.map((cell, at) => String(cell)[at ? 'padStart' : 'padEnd'](14)).join(''));
show('expression', 'compile µs', 'evaluate µs');
for (const [name, text] of Object.entries(expressions)) {
  const expression = jsonata(text);
  const compile = await microseconds(() => jsonata(text));
  const evaluate = await microseconds(() => expression.evaluate(undefined, { states }));
  show(name, compile.toFixed(2), evaluate.toFixed(2));
}
