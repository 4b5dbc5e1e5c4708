// Shows items of HTML made in Python; one that did not change is left alone. Its buttons say which learners are compared, and which to delete.

const shown = new WeakMap();

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".ckpt");
  const { items, chosen, heard } = JSON.parse(data);
  root.classList.toggle("dark", isDark(root));
  if (!shown.has(root)) shown.set(root, new Map());
  const before = shown.get(root);
  const now = new Map();
  for (const [key, html] of items) {
    const old = before.get(key);
    now.set(key, old?.html === html ? old : { html, node: made(html, old?.node) });
  }
  for (const [key, { node }] of before) if (now.get(key)?.node !== node) node.remove();
  [...now.values()].forEach(({ node }, at) => {
    if (root.children[at] !== node) root.insertBefore(node, root.children[at] ?? null); // moving one would take its focus
  });
  shown.set(root, now);
  if (heard >= (root.sent ?? 0)) mark(root, chosen); // else a press is still on its way
  root.onclick = ({ target }) => {
    if (target.closest(".up")) root.closest('[data-testid="stMain"]').scrollTo({ top: 0 });
    const doomed = target.closest(".delete");
    if (doomed) setTriggerValue("delete", doomed.closest("[data-name]").dataset.name);
    const button = target.closest("button[aria-pressed]");
    if (!button) return;
    const name = button.closest("[data-name]").dataset.name;
    const names = root.chosen.includes(name) ? root.chosen.filter((other) => other !== name) : [...root.chosen, name];
    mark(root, names);
    root.sent = Date.now(); // the same choice again is news too
    setStateValue("chosen", { names, at: root.sent });
  };
}

function made(html, old) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const node = template.content.firstElementChild;
  const fold = node.querySelector("details");
  if (fold && old?.querySelector("details")?.open) fold.open = true;
  return node;
}

function mark(root, names) {
  root.chosen = names;
  for (const card of root.querySelectorAll("[data-name]")) {
    const on = names.includes(card.dataset.name);
    card.classList.toggle("chosen", on);
    card.querySelector("button[aria-pressed]")?.setAttribute("aria-pressed", on);
    card.querySelector(".up")?.toggleAttribute("hidden", !on || names.length < 2);
  }
}

function isDark(root) {
  const colour = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff";
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
}
