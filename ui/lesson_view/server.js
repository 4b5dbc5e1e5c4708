// Asking the server for a card, an answer or a picture, however long it is away.

import { UNANSWERED, refusal, text } from "../task_plot/server.js";

const RETRY_MS = 2500;
export const AWAY = "The server does not answer. This page continues when it does.";

// What is at an address below this page's server, JSON unless `read` makes something else of the text. Raises as `text` does.
export async function ask(name, parameters = {}, signal = undefined, read = JSON.parse) {
  const said = await text(`${new URL(name, document.baseURI).href}?${new URLSearchParams(parameters)}`, signal);
  try {
    return read(said);
  } catch {
    throw refusal(UNANSWERED);
  }
}

// The same, asked again until the server answers; never answered once it is aborted. `say(words)` hears that the server is away,
// and "" when it is back. Raises an Error in one sentence for what the server refuses.
export async function insist(name, parameters, { signal, say, read }) {
  while (true) {
    try {
      const found = await ask(name, parameters, signal, read);
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
