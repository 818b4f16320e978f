// The reference JSONata as a process: a question per line, an answer per line. The argument is the folder of its package.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

const jsonata = createRequire(import.meta.url)(resolve(process.argv[2]));

// Nothing to hold anybody to: bounds of its own.
const bounds = { timeout: 1000, stack: 500, sequence: 100000 };
const bounded = ['D1011', 'D1012', 'D2015'];

const isFunction = (value) => typeof value === 'function' || value?._jsonata_function || value?._jsonata_lambda;

async function answer({ expression, input }) {
  try {
    const value = await jsonata(expression, bounds).evaluate(input);
    if (value === undefined) return { kind: 'undefined' };
    if (isFunction(value)) return { kind: 'function' };
    // JSON cannot say it, so for us it is an error.
    if (value === Infinity || value === -Infinity) return { kind: 'error', code: 'D1001' };
    return { kind: 'value', value: JSON.parse(JSON.stringify(value, (_, item) => (isFunction(item) ? '' : item))) };
  } catch (error) {
    if (typeof error.code === 'string' && /^[A-Z]\d{4}$/.test(error.code) && !bounded.includes(error.code)) return { kind: 'error', code: error.code };
    // An error of JavaScript is a fault of the reference, and nothing to hold anybody to.
    return { kind: 'unheld', why: String(error.message ?? error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
