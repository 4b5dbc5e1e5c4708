// Keeps a page's address equal to settings that are Python's.

import { leave, write } from "./address.js";

export const render = ({ data }) => write(JSON.parse(data).parameters);
export const remove = leave;
