// The colours of roles as custom properties of an element, in the shade of the theme on show, and again when that changes.

const TINT = { light: "20%", dark: "30%" }; // of a map's colours in the page's own: thin lines in tasks' colours keep 3:1 contrast to it

/**
 * How a role looks in all pictures.
 * @typedef {{ label: string, light: string, dark: string, width: number, dash: number[] }} Look
 */

/** @param {HTMLElement} root */
export function paint(root) {
  /** @type {Record<string, Look>} */
  let looks = {};
  /** @type {boolean | null} */
  let dark = null;
  /** @type {string | null} */
  let roles = null;

  function apply(newLooks = looks) {
    looks = newLooks;
    const probe = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff";
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(probe.slice(at, at + 2), 16));
    const isDark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
    const wanted = Object.keys(looks).join();
    if (isDark === dark && wanted === roles) return;
    [dark, roles] = [isDark, wanted];
    root.style.setProperty("--tint", dark ? TINT.dark : TINT.light);
    for (const [role, look] of Object.entries(looks)) {
      const colour = dark ? look.dark : look.light;
      root.style.setProperty(`--${role}`, colour);
      root.style.setProperty(`--${role}-text`, `color-mix(in srgb, ${colour} 82%, var(--ink))`); // thin strokes need more contrast
    }
  }

  const again = () => apply();
  const themed = new MutationObserver(again);
  themed.observe(document.querySelector("[data-testid=stApp]") ?? document.body, {
    attributes: true,
    attributeFilter: ["class", "style"],
  });
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  preferred.addEventListener("change", again);

  return {
    apply,
    remove() {
      themed.disconnect();
      preferred.removeEventListener("change", again);
    },
  };
}
