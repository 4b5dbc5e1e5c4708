// What a teacher needs now and then, and a class need not see: files, the teacher's address, the end of the room.

import { copied } from "../shared/copy.js";
import { download } from "../shared/download.js";
import { el } from "../shared/el.js";
import { sentence } from "../shared/server.js";
import { addressOf } from "./address.js";
import { AWAY, DOUBLE_MS } from "./server.js";

// room() and host() say which room it is, and where others reach it.
export function roomMenu(parent, { room, secret, host, file, end, complain, revealed }) {
  const menu = el("details", { class: "room-menu" }, parent);
  el("summary", {}, menu, "Manage this room");
  const row = el("div", { class: "menu-row" }, menu);
  const files = (place, failed) => {
    for (const [name, words] of [
      ["answers", "Answers as CSV"],
      ["tally", "Tally as CSV"],
    ]) {
      el("button", { type: "button" }, place, words).addEventListener("click", async () => {
        try {
          download(await file(`${name}.csv`), `${name}-${room()}.csv`);
        } catch (error) {
          failed(error);
        }
      });
    }
  };
  files(row, complain);
  el("span", { class: "hint" }, row, "of the revealed cards");
  el(
    "p",
    { class: "hint" },
    menu,
    "Until you reveal a card, this server tells its answer to nobody in the room. A browser that has not joined can still open the lesson and read it.",
  );
  const own = el("div", { class: "menu-row" }, menu);
  const show = el("button", { type: "button" }, own, "Show my address");
  show.addEventListener("click", () => {
    own.replaceChildren();
    const field = el(
      "input",
      { readonly: "", type: "text", "aria-label": "The address that makes whoever opens it the teacher of this room" },
      own,
    );
    field.value = addressOf(room(), { host: host(), secret });
    const button = el("button", { type: "button" }, own, "Copy");
    const hide = el("button", { type: "button" }, own, "Hide");
    const said = el(
      "span",
      { class: "hint own-said", role: "status" },
      own,
      "Whoever has this address is the teacher of this room. On a machine that is not yours, open it in a private window: the browser’s history keeps it.",
    );
    button.addEventListener("click", async () => (said.textContent = await copied(field)));
    hide.addEventListener("click", () => {
      own.replaceChildren(show);
      show.focus();
    });
    field.focus();
    field.select();
  });
  const last = el("div", { class: "menu-row" }, menu);
  const ending = el("button", { type: "button" }, last, "End the room");
  el("span", { class: "hint" }, last, "Otherwise it ends by itself after a day without use.");
  const ask = endingDialog(menu, { files, end, revealed });
  ending.addEventListener("click", ask);
  return menu;
}

// What ends a room asks first, and offers what is lost with it. `files(place, failed)` makes the buttons that save it; revealed() says how many cards
// that is of. Gives what opens it.
function endingDialog(parent, { files, end, revealed }) {
  const dialog = el("dialog", { class: "share ending", "aria-labelledby": "ending-title" }, parent);
  el("h2", { id: "ending-title" }, dialog, "End this room?");
  const lost = el("p", {}, dialog);
  const row = el("div", { class: "menu-row" }, dialog);
  const said = el("p", { class: "complaint", role: "alert" }, dialog);
  files(row, (error) => (said.textContent = error.refused ? sentence(error) : AWAY));
  const last = el("div", { class: "menu-row" }, dialog);
  const keep = el("button", { type: "button" }, last, "Keep it open");
  const sure = el("button", { type: "button", class: "primary" }, last, "Delete and end");
  let opened = 0;
  keep.addEventListener("click", () => dialog.close());
  sure.addEventListener("click", () => {
    if (performance.now() - opened < DOUBLE_MS) return; // the second half of a double click
    dialog.close();
    end();
  });
  return () => {
    const cards = revealed();
    said.textContent = "";
    row.hidden = !cards;
    lost.textContent = `Its names and answers will be deleted for good. ${cards ? `To keep those of the ${cards === 1 ? "revealed card" : `${cards} revealed cards`}, save them now:` : "No card was revealed, so there is nothing to save."}`;
    opened = performance.now();
    dialog.showModal();
    keep.focus();
  };
}
