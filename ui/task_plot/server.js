// Asking the server for a text.

// Raises an Error in one sentence; `refused` says that the server did answer, and that asking again is no use.
export async function text(address, signal) {
  const answer = await fetch(address, { signal }), said = await answer.text();
  if (answer.ok) return said;
  const refused = answer.status === 400;
  throw Object.assign(new Error(refused ? said : `the server answered ${answer.status}`), { refused });
}
