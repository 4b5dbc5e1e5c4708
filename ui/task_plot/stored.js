// What a browser remembers of a page, as one object; where it keeps nothing, for as long as the page is open.

export function stored(key) {
  let fallback = {};
  return {
    read() {
      try {
        const found = JSON.parse(localStorage.getItem(key) ?? "{}");
        return found && typeof found === "object" && !Array.isArray(found) ? found : {};
      } catch {
        return fallback;
      }
    },
    write(all) {
      fallback = all;
      try {
        localStorage.setItem(key, JSON.stringify(all));
      } catch {
        // A browser that keeps nothing.
      }
    },
  };
}
