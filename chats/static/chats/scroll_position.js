// Where the message list of a conversation stands: nothing else scrolls it. The first row that is seen
// whole stays where it is on the screen, whatever changes above or below; who is at the end stays at the end.
(() => {
  "use strict";

  // A scroller turned round (column-reverse) begins at its end: there it stands at 0, and further up below 0.
  // `NEAR` is a part of its height.
  const AT_END = 8, NEAR = 0.5, ABOVE_LINE = 56, PAUSE = 2_000, OPENING = 1_000;
  const LAYOUT = { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["class", "open", "hidden"] };
  const scroller = () => document.querySelector("#scroll");
  const topOf = (element) => element.getBoundingClientRect().top;
  let held = [], follows = false, ours = null, before = 0, pausedUntil = 0, shown = null, opening = true;

  const isAtEnd = () => Boolean(scroller()) && parleyMessageList.isWhole() && scroller().scrollTop > -AT_END;

  // Rows stand one below another: the first one on the screen is found by halving.
  function rowsOnScreen(scroll) {
    const rows = [...scroll.querySelectorAll(".message")], { top, bottom } = scroll.getBoundingClientRect();
    let from = 0, to = rows.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (rows[middle].getBoundingClientRect().bottom > top) to = middle;
      else from = middle + 1;
    }
    const end = rows.findIndex((row, place) => place >= from && topOf(row) >= bottom);
    return rows.slice(from, end < 0 ? rows.length : end);
  }

  // What the reader sees now. The next rows stand in for one that is deleted.
  function remember() {
    const scroll = scroller();
    if (!scroll) return;
    const edge = topOf(scroll) - 1, rows = rowsOnScreen(scroll).map((row) => ({ row, id: row.id, top: topOf(row) }));
    follows = isAtEnd();
    before = scroll.scrollTop;
    held = [...rows.filter(({ top }) => top >= edge), ...rows.filter(({ top }) => top < edge)];
  }

  // What the reader scrolled since then is theirs, though its event is still to come.
  function hold() {
    const scroll = scroller();
    if (!scroll) return;
    const theirs = scroll.scrollTop - before;
    if (follows && Math.abs(theirs) < AT_END) return moveTo(scroll, 0);
    for (const { row, id, top } of held) {
      // An edit puts another row in the place of the first, with the same id.
      const now = row.isConnected ? row : document.getElementById(id);
      if (now) return moveTo(scroll, scroll.scrollTop + topOf(now) - top + theirs, theirs);
    }
    remember();
  }

  // The event that follows is ours, and no reader's: unless they scrolled, too.
  function moveTo(scroll, place, theirs = 0) {
    if (Math.abs(scroll.scrollTop - place) < 1) return;
    scroll.scrollTop = place;
    ours = theirs ? null : scroll.scrollTop;
    before = scroll.scrollTop - theirs;
  }

  function scrolled() {
    const { scrollTop } = scroller();
    if (scrollTop === ours) return;
    const way = scrollTop - before;
    ours = null;
    remember();
    if (!opening) fetchNear(way);
  }

  // Further rows are fetched when the reader comes near by their own scrolling: one request at a time, and
  // none because of the rows that another one brought.
  function fetchNear(way) {
    const scroll = scroller();
    if (!scroll || Date.now() < pausedUntil || scroll.querySelector(".more .htmx-request")) return;
    const { top, bottom, height } = scroll.getBoundingClientRect();
    const near = [...scroll.querySelectorAll(way < 0 ? ".older" : way > 0 ? ".newer" : ".more")].find((more) => {
      const place = more.getBoundingClientRect();
      return place.bottom > top - height * NEAR && place.top < bottom + height * NEAR;
    });
    if (near) htmx.trigger(near.querySelector("a"), "near");
  }

  // A list that leaves room on the screen cannot be scrolled.
  function fill() {
    const scroll = scroller();
    if (scroll && !opening && scroll.scrollHeight <= scroll.clientHeight) fetchNear(0);
  }

  function show(element) {
    const scroll = scroller();
    moveTo(scroll, scroll.scrollTop + topOf(element) - topOf(scroll) - ABOVE_LINE);
    remember();
  }

  // To the newest message, which has to be fetched first if the list ends before it.
  async function toEnd() {
    try {
      if (!parleyMessageList.isWhole()) await parleyMessageList.showNewest();
    } finally {
      goToEnd();
    }
  }

  function goToEnd() {
    const scroll = scroller();
    if (!scroll) return;
    moveTo(scroll, 0);
    remember();
  }

  const mutations = new MutationObserver(hold);
  const sizes = new ResizeObserver(hold);

  // The browser goes to the place that an address names by itself, more than once while the page is laid out.
  // Who scrolls by other means than these does so later.
  function beginOpening() {
    opening = true;
    if (document.readyState !== "complete") return addEventListener("load", beginOpening, { once: true });
    clearTimeout(beginOpening.ends);
    beginOpening.ends = setTimeout(() => {
      endOpening();
      fill();
    }, OPENING);
  }

  const endOpening = () => (opening = false);

  function watch() {
    const scroll = scroller();
    if (scroll === shown) return fill();
    mutations.disconnect();
    sizes.disconnect();
    shown = scroll;
    if (!scroll) return;
    beginOpening();
    remember();
    mutations.observe(scroll.querySelector(".messages"), LAYOUT);
    for (const each of [scroll, scroll.querySelector(".messages")]) sizes.observe(each);
    scroll.addEventListener("scroll", scrolled, { passive: true });
    // At either end of what is there, no wheel scrolls it any more.
    scroll.addEventListener("wheel", ({ deltaY }) => fetchNear(deltaY), { passive: true });
    scroll.addEventListener("touchmove", () => fetchNear(0), { passive: true });
  }

  const STEPS = {
    End: () => toEnd().catch(() => parley.complain(parley.UNREACHED)),
    Home: (scroll) => scroll.scrollTo({ top: -scroll.scrollHeight }),
    PageUp: (scroll) => scroll.scrollBy({ top: -scroll.clientHeight * 0.875 }),
    PageDown: (scroll) => scroll.scrollBy({ top: scroll.clientHeight * 0.875 }),
  };

  const WAYS = { Home: -1, PageUp: -1, PageDown: 1 };

  // The same wherever the focus is. Within the list the browser would scroll by itself, but only to the end of
  // what is loaded; and rows that arrive above end its animation halfway.
  addEventListener("keydown", (event) => {
    const scroll = scroller(), modified = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (!scroll || modified || event.defaultPrevented || !Object.hasOwn(STEPS, event.key)) return;
    if (event.target.closest?.("input, textarea, select, dialog")) return;
    event.preventDefault();
    STEPS[event.key](scroll);
    if (event.key !== "End") fetchNear(WAYS[event.key]);
  });
  addEventListener("htmx:afterRequest", ({ detail: { elt, successful } }) => {
    if (!successful && elt.closest?.(".more")) pausedUntil = Date.now() + PAUSE;
  });
  addEventListener("DOMContentLoaded", watch);
  for (const type of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(type, endOpening, { capture: true, passive: true });
  addEventListener("htmx:afterSettle", watch);

  window.parleyScroll = Object.freeze({ isAtEnd, show, toEnd });
})();
