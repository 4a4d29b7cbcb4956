// The way to the end of a conversation, and how many messages came there while one read further up.
(() => {
  "use strict";

  const below = new Set();
  let opened = null;

  const pill = () => document.querySelector("#to-end");
  const scroller = () => document.querySelector("#scroll");

  function add(id) {
    if (!parleyScroll.isAtEnd()) below.add(String(id));
    draw();
  }

  function remove(id) {
    if (below.delete(String(id))) draw();
  }

  function draw() {
    const scroll = scroller();
    if (scroll !== opened) below.clear();
    opened = scroll;
    if (!pill()) return;
    forgetSeen(scroll);
    const isFar = !parleyMessageList.isWhole() || -scroll.scrollTop > scroll.clientHeight;
    write(".count-below", below.size ? `${below.size} new` : "To the newest");
    write(".what-below", below.size ? ` ${below.size === 1 ? "message" : "messages"} below` : "");
    pill().hidden = !below.size && !isFar;
  }

  function write(selector, text) {
    const place = pill().querySelector(selector);
    if (place.textContent !== text) place.textContent = text;
  }

  function forgetSeen(scroll) {
    if (parleyScroll.isAtEnd()) return below.clear();
    const { bottom } = scroll.getBoundingClientRect();
    for (const id of below) {
      const row = document.getElementById(`m${id}`);
      if (row ? row.getBoundingClientRect().bottom <= bottom : parleyMessageList.isWhole()) below.delete(id);
    }
  }

  // The focus goes along: its place at the pill goes away.
  async function follow() {
    try {
      await parleyScroll.toEnd();
      [...scroller().querySelectorAll(".message")].at(-1)?.focus({ preventScroll: true });
    } catch {
      parley.complain(parley.UNREACHED);
    }
    draw();
  }

  addEventListener("click", (event) => {
    if (!event.target.closest?.("#to-end a") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    follow();
  }, true);
  addEventListener("DOMContentLoaded", draw);
  addEventListener("htmx:afterSettle", draw);
  addEventListener("parley:changed", draw);
  addEventListener("parley:deleted", ({ detail }) => remove(detail));
  addEventListener("resize", draw);
  addEventListener("scroll", draw, { capture: true, passive: true });

  window.parleyNewBelow = Object.freeze({ add });
})();
