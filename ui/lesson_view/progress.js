// How far a person is, in the browser's own storage; where there is none, for as long as the page is open.

const KEY = "maml-lab-lessons";
let fallback = {};

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return fallback;
  }
}

function write(all) {
  fallback = all;
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // A browser that keeps nothing.
  }
}

// Of a card: {answer: the committed text, right: whether it was, once that is known, reached: whether its challenge was, lab: what was last on
// show}.
export const of = (card) => read()[card] ?? {};
export const note = (card, news) => write({ ...read(), [card]: { ...of(card), ...news } });
export const isEmpty = () => !Object.keys(read()).length;
export const forgetAll = () => write({});

export function forget(card) {
  const { [card]: gone, ...others } = read();
  write(others);
}
