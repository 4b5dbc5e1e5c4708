// When something on the page has other room.

/**
 * What watches elements as a ResizeObserver does, and calls `act` in the next frame, once however many changed. Who draws within the
 * observer's own turn changes sizes while they are told, which a browser reports as an error of the page.
 * @param {() => void} act
 */
export function onResize(act) {
  let frame = 0;
  const observer = new ResizeObserver(() => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      act();
    });
  });
  return {
    /** @param {Element} element */
    observe: (element) => observer.observe(element),
    disconnect() {
      cancelAnimationFrame(frame);
      frame = 0;
      observer.disconnect();
    },
  };
}
