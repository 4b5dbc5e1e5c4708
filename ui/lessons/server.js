// Asking the server for a card, an answer or a picture, however long it is away.

import * as server from "../shared/server.js";

const RETRY_MS = 2500;
export const AWAY = `${server.AWAY} This page continues when it does.`;

/**
 * What is at an address, JSON unless `read` makes something else of the text: asked again until the server answers; never answered once
 * it is aborted. `say(words)` hears that the server is away, and "" when it is back. Raises a Failure for what the server refuses.
 * @template [Found=any]
 * @param {string} address
 * @param {server.Options["query"]} query
 * @param {{ signal: AbortSignal, say: (words: string) => void, read?: (text: string) => Found }} how
 * @returns {Promise<Found>}
 */
export async function insist(address, query, { signal, say, read }) {
  while (true) {
    try {
      const found = await server.json(address, { query, signal, read });
      say("");
      return found;
    } catch (error) {
      if (signal.aborted) return new Promise(() => {});
      if (error.refused) throw error;
      say(AWAY);
      await new Promise((done) => setTimeout(done, RETRY_MS));
      if (signal.aborted) return new Promise(() => {});
    }
  }
}
