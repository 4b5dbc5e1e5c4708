// When a part of the page comes into sight: then it asks the server, not before.

/**
 * Calls `act` once, when the element comes near; gives what takes that back.
 * @param {Element} element
 * @param {() => void} act
 */
export function whenSeen(element, act) {
  const seen = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      act();
    },
    { rootMargin: "200px" },
  );
  seen.observe(element);
  return () => seen.disconnect();
}
