// Asks the server for maps, again and again, until they are exact enough: first of all for what has met the fewest tasks; from
// some number on for one after the other, since the server has room for few that are so exact.

import { json, sentence } from "../shared/server.js";

/** @import { ErrorMap } from "./words.js" */
/** @import { Maps } from "./maps.js" */

const AT_ONCE = 2; // questions to the server
const TOGETHER = 2000; // tasks
const AGAIN_MS = 3000; // after one that failed

/**
 * `heard` is called after each answer, `complain` with what is wrong, or with nothing.
 * @param {{ server: string, maps: () => Maps, heard: () => void, complain: (words: string) => void }} host
 */
export function refining({ server, maps, heard, complain }) {
  /** @type {Map<string, ErrorMap>} By the parameters of the question. */
  const known = new Map();
  /** What ends a question that is under way. @type {Map<string, AbortController>} */
  const flying = new Map();
  let stopped = false;
  let gone = false;
  let failed = 0;
  /** @type {number | undefined} */
  let timer;

  function work() {
    clearTimeout(timer);
    const { wanted, tasksOf, tasks, view } = maps();
    const names = gone || stopped || view === "published" ? [] : wanted();
    for (const [name, asked] of flying) {
      if (names.includes(name)) continue;
      asked.abort();
      flying.delete(name);
    }
    if (!names.length) return;
    if (failed)
      timer = setTimeout(() => {
        failed = 0;
        work();
      }, AGAIN_MS);
    /** @param {string} name */
    const place = (name) => (tasksOf(name) < TOGETHER ? tasksOf(name) : TOGETHER + tasks - tasksOf(name));
    const busy = names.filter((name) => flying.has(name)).length;
    const open = names.filter((name) => !flying.has(name) && tasksOf(name) < tasks).sort((a, b) => place(a) - place(b));
    for (const name of open.slice(0, failed ? 0 : Math.max(0, AT_ONCE - busy))) ask(name);
  }

  /** @param {string} name */
  function ask(name) {
    const asked = new AbortController();
    const { signal } = asked;
    flying.set(name, asked);
    const have = known.get(name)?.tasks ?? 0;
    json(`${server}map.json?${name}&have=${have}`, { signal })
      .then((map) => {
        if (map.tasks > (known.get(name)?.tasks ?? 0)) known.set(name, map);
        complain("");
      })
      .catch((error) => {
        if (signal.aborted) return;
        failed += 1;
        complain(`A map could not be measured: ${sentence(error)}${error.refused ? "" : " Trying again."}`);
      })
      .finally(() => {
        if (signal.aborted) return;
        flying.delete(name);
        work();
        heard();
      });
  }

  return {
    known,
    work,
    /** @param {string} name */
    isAsked: (name) => flying.has(name),
    get stopped() {
      return stopped;
    },
    /** @param {boolean} yes */
    stop(yes) {
      stopped = yes;
      work();
    },
    remove() {
      gone = true;
      work();
    },
  };
}
