// How far a person is, in the browser's own storage; where there is none, for as long as the page is open.

import { stored } from "../shared/stored.js";

const { read, write } = stored("maml-lab-lessons");

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
