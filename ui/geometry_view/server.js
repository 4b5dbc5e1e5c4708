// What the geometry page asks of the server, and when: each part once it comes into sight.

export async function ask(name, parameters = {}) {
  const answer = await fetch(`${new URL("geometry/", document.baseURI).href}${name}?${new URLSearchParams(parameters)}`);
  if (!answer.ok) throw new Error(answer.status === 400 ? await answer.text() : `the server answered ${answer.status}`);
  return answer.json();
}

export function numbersOf(text) {
  return new Float32Array(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer);
}

// Calls `act` once, when the element comes near; gives what takes that back.
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
