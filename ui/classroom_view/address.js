// Which room the address names, and whether this browser is its teacher's. The secret leaves the address at once: a class looks on.

const PARAMETER = "room", FRAGMENT = "teacher", KEY = "maml-lab-rooms", DAY_MS = 24 * 3600 * 1000;
let fallback = {};

// {room: {secret, at}} of the rooms opened here in the last day.
function kept() {
  try {
    const found = Object.entries(JSON.parse(localStorage.getItem(KEY) ?? "{}"));
    return Object.fromEntries(found.filter(([, { secret, at }]) => typeof secret === "string" && Date.now() - at < DAY_MS));
  } catch {
    return fallback;
  }
}

function keep(all) {
  fallback = all;
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // A browser that keeps nothing.
  }
}

export const secretOf = (room) => kept()[room]?.secret ?? "";
export const roomsOfMine = () => Object.keys(kept());
export const remember = (room, secret) => keep({ ...kept(), [room]: { secret, at: Date.now() } });

export function forget(room) {
  const { [room]: gone, ...others } = kept();
  keep(others);
}

// The code in the address, as it is kept: case and spaces do not matter.
export function roomOf(address) {
  return (new URL(address).searchParams.get(PARAMETER) ?? "").replace(/[\s-]/g, "").toUpperCase();
}

// Take a teacher's secret out of the address on show, and keep it.
export function takeSecret() {
  const secret = new URLSearchParams(location.hash.slice(1)).get(FRAGMENT), room = roomOf(location.href);
  if (!secret) return;
  if (room) remember(room, secret);
  history.replaceState(history.state, "", `${location.pathname}${location.search}`);
}

// The address of a room on this page, from another host if one is given; with its teacher's secret if that is.
export function addressOf(room, { host = "", secret = "", present = false } = {}) {
  const address = new URL(location.pathname, location.href);
  if (host) address.hostname = host;
  if (room) address.searchParams.set(PARAMETER, room);
  if (present) address.searchParams.set("present", "true");
  if (secret) address.hash = new URLSearchParams({ [FRAGMENT]: secret }).toString();
  return address.href;
}

export const isPresented = () => new URLSearchParams(location.search).get("present") === "true";
