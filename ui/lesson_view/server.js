// Asking the server for a card, an answer or a picture, however long it is away.

import { text } from "../task_plot/server.js";

const RETRY_MS = 2500;
export const AWAY = "The server does not answer. This goes on when it does.";

// The JSON at an address below this page's server. Raises as `text` does; an aborted question is never answered.
export const ask = async (name, parameters = {}, signal = undefined) =>
  JSON.parse(await text(`${new URL(name, document.baseURI).href}?${new URLSearchParams(parameters)}`, signal));

// The same, asked again until the server answers. `say(words)` hears that it is away, and "" when it is back.
// Raises an Error in one sentence for what the server refuses.
export async function insist(name, parameters, { signal, say }) {
  while (true) {
    try {
      const found = await ask(name, parameters, signal);
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
