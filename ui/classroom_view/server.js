// A room at the server: what is done in it, and the news of it for as long as the page is open.

import { UNANSWERED } from "../task_plot/server.js";

export const RETRY_MS = 1000;
const SPREAD_MS = 1000; // a class does not come back all at once
const REFUSED_MS = 5000; // before a question that was refused is asked again
const LOST_MS = 40_000; // a question that waits is answered before; after so long the line is dead
const QUICK_MS = 1000; // an answer without news that comes sooner means: not now
const SECRET = "X-Teacher";
const OURS = "X-Classroom"; // the latter stands in all that the server itself answers here
const ELSEWHERE = 503; // what something in between refuses says nothing about the room
const NO_COOKIES =
  "This browser blocks cookies, and a room recognises its students by one. Allow cookies for this address and reload.";
export const AWAY = "The server does not answer. What you see stays, and this page continues when it is back.";

// Raises an Error in one sentence; `status` is the server's, where it did answer.
async function request(name, { query = {}, body, secret, signal } = {}) {
  const headers = { ...(secret && { [SECRET]: secret }), ...(body && { "Content-Type": "application/json" }) };
  const address = `${new URL(`classroom/${name}`, document.baseURI).href}?${new URLSearchParams(query)}`;
  const answer = await fetch(address, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal });
  if (answer.ok) return answer;
  const status = answer.headers.has(OURS) || answer.status >= 500 ? answer.status : ELSEWHERE;
  throw failure(status, status < 500 ? await answer.text() : UNANSWERED);
}

const failure = (status, said) => Object.assign(new Error(said), { status });

async function json(answer) {
  try {
    return await answer.json();
  } catch (error) {
    throw error instanceof SyntaxError ? failure(500, UNANSWERED) : error;
  }
}

// Whether nobody answered; a gateway's 502 and above mean the same.
export const isAway = ({ status, refused = false }) => !refused && (status === undefined || status >= 502);

// Versions are numbers with dots between them.
function isBefore(a, b) {
  const [m, n] = [a, b].map((version) => version.split(".").map(Number));
  const at = m.findIndex((number, i) => number !== n[i]);
  return at >= 0 && m[at] < n[at];
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export const openRoom = async () => json(await request("open", { body: {} }));

// The address of a picture of this address.
export const codeOf = (address) => `${new URL("classroom/qr.svg", document.baseURI).href}?${new URLSearchParams({ address })}`;

// Be in a room, as its teacher where there is a secret, else as a student. `news(state)` hears what room.json says, at first and
// whenever it changes; `away(words)` that the server is not there, and "" when it is; `refused(error)` that one cannot be here.
export function inRoom({ room, secret, news, away, refused }) {
  const stop = new AbortController();
  let state = null;
  let gone = false;
  let lost = false;
  let line = stop;
  let known = false;
  let again = false;

  // Answers may overtake each other. after: whether this is the first one after a silence, in which the server may have begun anew.
  function take(newState, after = false) {
    if (gone || (state && !after && isBefore(newState.version, state.version))) return false;
    const kept = {};
    if (state?.card === newState.card) {
      if (newState.revealed && state.tally) kept.tally = state.tally; // which comes once
      if (newState.mine === null) kept.mine = state.mine; // which never changes
    }
    state = { ...newState, ...kept };
    news(state);
    return true;
  }

  async function ask() {
    if (!state && !secret) return json(await request("join", { body: { room, name: "" }, signal: stop.signal }));
    // After a silence the first answer comes at once: it says that the server is back.
    const query = { room, ...(state && !lost && { since: state.version }), ...(state && { has: state.tally ? state.card : "" }) };
    line = new AbortController();
    const dead = setTimeout(() => line.abort(), LOST_MS);
    const { signal } = line;
    return request("room.json", { query, secret, signal })
      .then(json)
      .finally(() => clearTimeout(dead));
  }

  async function listen() {
    while (!gone) {
      const began = performance.now();
      const before = state;
      try {
        const found = await ask();
        if (gone) return;
        away("");
        if (found.joined === false && !found.ended) {
          // A browser that has lost its cookie joins anew, once: one that keeps none would fill the room.
          if (!known || again) return refused(Object.assign(new Error(NO_COOKIES), { status: 400 }));
          [state, again] = [null, true];
        } else {
          known ||= Boolean(before);
          lost = !take(found, lost); // one that is behind is asked again, and then believed
        }
        if (found.ended) return;
        if (before && found.version === before.version && performance.now() - began < QUICK_MS) await pause(RETRY_MS);
      } catch (error) {
        if (gone) return;
        if (isAway(error)) {
          lost = true;
          away(AWAY);
          await pause(RETRY_MS + SPREAD_MS * Math.random());
        } else if (error.status >= 500) {
          lost = true;
          away(error.message);
          await pause(REFUSED_MS); // a room goes on when it can
        } else return refused(error);
      }
    }
  }
  listen();

  const send = async (name, body) =>
    take(await json(await request(name, { body: { room, ...body }, secret, signal: stop.signal })));
  return {
    // Raise an Error in one sentence for what cannot be.
    act: (what, value = null) => send("act", { do: what, value, has: state?.tally ? state.card : "" }),
    vote: (card, answer) => send("vote", { card, answer }),
    name: (name) => send("join", { name }),
    file: async (name) => (await request(name, { query: { room }, secret })).blob(),
    remove() {
      gone = true;
      stop.abort();
      line.abort();
    },
  };
}
