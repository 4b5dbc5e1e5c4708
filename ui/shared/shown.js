// Whether somebody looks at the page: a tab in the background asks the server for nothing.

/** A promise that the page is in sight: at once where it is. */
export async function shown() {
  while (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}
