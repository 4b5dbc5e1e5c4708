// Where a keyboard and a screen reader go on when what they were at is replaced.

export const isWithin = (...parts) => parts.some((part) => part.contains(document.activeElement));

// Go to the first heading of a part, unless somebody is elsewhere by now. Whoever replaces a part has scrolled already.
export function toHeading(part) {
  const heading = part.querySelector("h1, h2");
  if (!heading || (document.activeElement && document.activeElement !== document.body)) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
