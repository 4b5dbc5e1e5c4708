// A room at the server: what is done in it, and the news of it for as long as the page is open.

import * as server from "../shared/server.js";

export const RETRY_MS = 1000;
export const DOUBLE_MS = 600; // presses closer than this are one
const SPREAD_MS = 1000; // a class does not come back all at once
const REFUSED_MS = 5000; // before a question that was refused is asked again
const LOST_MS = 40_000; // a question that waits is answered before; after so long the line is dead
const QUICK_MS = 1000; // an answer without news that comes sooner means: not now
const SECRET = "X-Teacher";
const mark = "X-Classroom"; // the latter stands in all that the server itself answers here
const NO_COOKIES =
  "This browser blocks cookies, and a room recognises its students by one. Allow cookies for this address and reload.";
export const AWAY = server.STAYS;

const asking = ({ secret, ...options }) => ({ ...options, mark, headers: secret ? { [SECRET]: secret } : {} });
const request = (name, options) => server.request(`classroom/${name}`, asking(options));
const json = (name, options) => server.json(`classroom/${name}`, asking(options));

// Versions are numbers with dots between them.
function isBefore(a, b) {
  const [m, n] = [a, b].map((version) => version.split(".").map(Number));
  const at = m.findIndex((number, i) => number !== n[i]);
  return at >= 0 && m[at] < n[at];
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export const openRoom = () => json("open", { body: {} });

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
      if (newState.revealed && state.tally && !("tally" in newState)) kept.tally = state.tally; // which comes where it is another
      if (newState.mine === null) kept.mine = state.mine; // which never changes
    }
    state = { ...newState, ...kept };
    room = state.room; // its code may change
    news(state);
    return true;
  }

  const has = () => (state?.tally ? state.tallied : "");

  async function ask() {
    if (!state && !secret) return json("join", { body: { room, name: "" }, signal: stop.signal });
    // After a silence the first answer comes at once: it says that the server is back.
    const query = { room, ...(state && !lost && { since: state.version }), ...(state && { has: has() }) };
    line = new AbortController();
    const dead = setTimeout(() => line.abort(), LOST_MS);
    const { signal } = line;
    return json("room.json", { query, secret, signal }).finally(() => clearTimeout(dead));
  }

  async function listen() {
    while (!gone) {
      const began = performance.now();
      const before = state;
      try {
        const found = await ask();
        if (gone) return;
        away("");
        if (found.joined === false && !found.ended && !found.removed) {
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
        if (!error.refused) {
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

  const send = async (name, body) => take(await json(name, { body: { room, ...body }, secret, signal: stop.signal }));
  return {
    // Raise an Error in one sentence for what cannot be.
    act: (what, value = null) => send("act", { do: what, value, has: has() }),
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
