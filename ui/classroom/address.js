// Which room the address names, and whether this browser is its teacher's. The secret leaves the address at once: a class looks on.

import { current, flush, push, write } from "../shared/address.js";
import { stored } from "../shared/stored.js";

const PARAMETER = "room";
const FRAGMENT = "teacher";
const PRESENT = "present";
const KEY = "maml-lab-rooms";
const MOST = 20; // rooms that are kept
const OFFERED = 3; // of them, those that one can go back to
const rooms = stored(KEY);
const offered = new Map(); // room: a secret that an address came with. Anybody can write an address: the server has to take it first.

// {room: {secret}} of the rooms whose teacher this browser is, the one last entered at the end. The server says when one is over:
// clocks may be wrong, here and there.
const kept = () => Object.fromEntries(Object.entries(rooms.read()).filter(([, room]) => typeof room?.secret === "string"));

export const isOffered = (room) => offered.has(room);
export const secretOf = (room) => offered.get(room) ?? kept()[room]?.secret ?? "";
export const roomsOfMine = () => Object.keys(kept()).slice(-OFFERED).reverse();

// Keep a secret that the server has taken.
export function remember(room, secret) {
  const { [room]: before, ...others } = kept();
  offered.delete(room);
  rooms.write(Object.fromEntries([...Object.entries(others), [room, { secret }]].slice(-MOST)));
}

export function forget(room) {
  const { [room]: gone, ...others } = kept();
  offered.delete(room);
  rooms.write(others);
}

// Drop a secret that the server has refused; another one of the same room stays.
export function drop(room, secret) {
  if (kept()[room]?.secret === secret) forget(room);
  offered.delete(room);
}

// The room that was last joined in this tab, for who left its page.
export function noteJoined(room) {
  try {
    sessionStorage.setItem(KEY, room);
  } catch {
    // A browser that keeps nothing.
  }
}

export function lastJoined() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

// A code as it is kept: case and spaces do not matter.
export const codeIn = (text) => text.replace(/[\s-]/g, "").toUpperCase();
export const roomShown = () => codeIn(current().searchParams.get(PARAMETER) ?? "");

// Take a teacher's secret out of the address on show.
export function takeSecret() {
  const { hash, searchParams } = current();
  const secret = new URLSearchParams(hash.slice(1)).get(FRAGMENT);
  const room = roomShown();
  if (!secret) return;
  if (room && secret !== secretOf(room)) offered.set(room, secret);
  write(Object.fromEntries(searchParams), { alone: true });
  flush();
}

// The address of a room on this page, from another host if one is given; with its teacher's secret if that is.
export function addressOf(room, { host = "", secret = "" } = {}) {
  const address = new URL(location.pathname, location.origin);
  if (host) address.hostname = host;
  if (room) address.searchParams.set(PARAMETER, room);
  if (secret) address.hash = new URLSearchParams({ [FRAGMENT]: secret }).toString();
  return address.href;
}

// Go to a room, or to the door.
export const goTo = (room) => push({ [PARAMETER]: room || null }, { alone: true });
// The room on show has another code now.
export const noteCode = (room) => write({ [PARAMETER]: room });
// Stand at the door instead: Back does not lead to where one was.
export const turnAway = () => write({}, { alone: true });

export const isPresented = () => current().searchParams.get(PRESENT) === "true";
export const notePresented = (on) => on !== isPresented() && write({ [PRESENT]: on ? "true" : null });
