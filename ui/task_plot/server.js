// Asking the server for a text.

export const UNANSWERED = "The server could not answer this. Reload the page to try again.";

// Raises an Error in one sentence; `refused` says that asking again is no use. A gateway's 502 and above mean that the server is away.
export async function text(address, signal) {
  const answer = await fetch(address, { signal });
  const said = await answer.text();
  if (answer.ok) return said;
  if (answer.status >= 502) throw new Error(`The server answered ${answer.status}`);
  throw refusal(answer.status === 400 ? said : UNANSWERED);
}

export const refusal = (words) => Object.assign(new Error(words), { refused: true });
