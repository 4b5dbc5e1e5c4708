// The page "Characters".

import { mounted } from "../shared/mounted.js";
import { charactersView } from "./view.js";

export const { render, remove } = mounted(["characters/characters.css"], (parent, { data }) =>
  charactersView(parent, JSON.parse(data)),
);
