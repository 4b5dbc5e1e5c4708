// Asking the server: whatever fails is told in one way.

import { shown } from "./shown.js";

export const AWAY = "The server does not answer.";
export const STAYS = `${AWAY} What you see stays, and this page continues when it is back.`; // of what asks again by itself
export const UNANSWERED = "The server could not answer this. Reload the page to try again.";
const TOO_MANY = 429; // by ui/shared/turns.py: too much is being asked for just now
const AGAIN_MS = 1500;
const AWAY_FROM = 502; // a gateway's status for a server that it does not reach

/**
 * mark: the header of all that our server answers there. What comes without is not ours, and says nothing about what was asked for.
 * unseen: a question of this kind is asked while nobody looks at the page as well.
 * @typedef {object} Options
 * @property {string | URLSearchParams | string[][] | Record<string, string | number>} [query]
 * @property {object} [body]
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {string} [mark]
 * @property {boolean} [unseen]
 */

/** @typedef {Error & { status?: number, refused?: boolean }} Failure */

/**
 * Each of these asks with GET, or with POST where there is a `body` to send as JSON. Each raises a Failure in one sentence, with `status`
 * where there was an answer, and `refused` where asking again is no use: without it the server is away. Who aborts hears of that instead.
 * A GET waits until somebody looks at the page, and one that the server has no room for now is asked again, until it has.
 * @param {string} address
 * @param {Options} [options]
 */
export async function request(address, { query, body, headers, signal, mark, unseen = Boolean(body) } = {}) {
  const asked = body
    ? { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body), signal }
    : { headers: { ...headers }, signal };
  const question = query ? `${address}?${encoded(query)}` : address;
  const answered = async () => {
    if (!unseen) await shown();
    return reached(fetch(question, asked), signal);
  };
  let answer = await answered();
  while (answer.status === TOO_MANY && !body) {
    await new Promise((done) => setTimeout(done, AGAIN_MS * (0.5 + Math.random()))); // not all at once
    answer = await answered();
  }
  if (answer.ok) return answer;
  const { status } = answer;
  const isOurs = mark ? answer.headers.has(mark) : status === 400 || status === TOO_MANY;
  if (status >= AWAY_FROM || (mark && !isOurs && status < 500)) throw failure(AWAY, { status });
  const said = isOurs && status < 500 ? await reached(answer.text(), signal) : UNANSWERED;
  throw failure(said, { status, refused: true });
}

/**
 * @param {string} address
 * @param {Options} [options]
 */
export async function text(address, options = {}) {
  const answer = await request(address, options);
  return reached(answer.text(), options.signal);
}

/**
 * JSON, unless `read` makes something else of the text. What cannot be read is as good as an answer of 500.
 * @template [Found=any]
 * @param {string} address
 * @param {Options & { read?: (text: string) => Found }} [options]
 */
export async function json(address, { read = JSON.parse, ...options } = {}) {
  const said = await text(address, options);
  try {
    return read(said);
  } catch {
    throw failure(UNANSWERED, { status: 500, refused: true });
  }
}

/**
 * What failed, with a full stop.
 * @param {Error} error
 */
export const sentence = (error) => `${error.message}.`.replace(/\.\.$/, ".");

/** @param {Options["query"]} query Numbers in it are made text. */
const encoded = (query) => new URLSearchParams(/** @type {Record<string, string>} */ (query));

/**
 * @param {string} words
 * @param {{ status?: number, refused?: boolean }} [about]
 * @returns {Failure}
 */
const failure = (words, about) => Object.assign(new Error(words), about);

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 */
const reached = (promise, signal) =>
  promise.catch((error) => {
    throw signal?.aborted ? error : failure(AWAY);
  });
