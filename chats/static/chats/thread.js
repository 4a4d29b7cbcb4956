// A thread: its composer answers the branch that one looks at, the next unread message is a key away, and
// what is read stays where it is on the screen.
(() => {
  "use strict";

  const EXCERPT = 280;
  const LAYOUT = { childList: true, subtree: true, characterData: true };
  const thread = () => document.querySelector("#thread");
  const composer = () => document.querySelector("#composer[data-thread]");
  const allRows = () => [...thread().querySelectorAll(".message")];
  const topOf = (element) => element.getBoundingClientRect().top;
  const appearing = new Map();
  let opened = null, held = null, scrolledTo = 0, due = false, own = null;

  function screen() {
    const head = document.querySelector(".thread-head"), foot = document.querySelector(".thread .foot");
    return { top: head?.getBoundingClientRect().bottom ?? 0, bottom: foot ? topOf(foot) : innerHeight };
  }

  function isOnScreen(row, { top, bottom } = screen()) {
    const place = row.getBoundingClientRect();
    return place.height > 0 && place.bottom > top && place.bottom <= bottom + 1;
  }

  // One's own message, until one scrolls on; the message with the focus; or the last one that is seen to its end: the composer stands below it.
  function lookedAt() {
    const edges = screen(), focused = document.activeElement?.closest?.("#thread .message");
    const chosen = [own && document.getElementById(own), focused].find((row) => row && isOnScreen(row, edges));
    return chosen ?? allRows().findLast((row) => isOnScreen(row, edges));
  }

  // Where somebody chose a message, or typed, it is that message's answer.
  function follow({ always = false } = {}) {
    const form = composer();
    if (!form || (!always && ("chosen" in form.dataset || form.elements.content.value))) return;
    const id = lookedAt()?.closest("[data-answer]")?.dataset.answer;
    const row = id && document.getElementById(`m${id}`);
    if (row && form.elements.parent && form.elements.parent.value !== id) answer(form, row);
  }

  function answer(form, row) {
    form.elements.parent.value = row.dataset.id;
    const line = form.querySelector(".answering > span");
    line.querySelector("b").replaceChildren(...row.querySelector(".by b").cloneNode(true).childNodes);
    line.querySelector("bdi.quiet").textContent = row.querySelector(".body").textContent.slice(0, EXCERPT);
  }

  function cancelChoice(form) {
    delete form.dataset.chosen;
    form.querySelector("[data-follow]")?.remove();
    const address = new URL(location.href);
    address.searchParams.delete("reply");
    history.replaceState(history.state, "", address);
    follow({ always: true });
    form.elements.content.focus();
  }

  // After what is on the screen; then on other pages of the thread; then from its beginning. In the panel too.
  function nextUnread() {
    const place = thread() ?? document.querySelector("#side-thread");
    const link = place && document.querySelector("[data-next-unread]");
    if (!link) return false;
    const side = place.closest("#side"), edges = side?.getBoundingClientRect() ?? screen();
    const rows = [...place.querySelectorAll(".message")], news = rows.filter((row) => row.matches(".new"));
    const last = rows.findLastIndex((row) => isOnScreen(row, edges));
    const next = news.find((row) => rows.indexOf(row) > last);
    if (next) show(next);
    else if (link.dataset.elsewhere) side ? parleyPanes.open(link.dataset.elsewhere) : location.assign(link.dataset.elsewhere);
    else if (news.length) show(news[0]);
    return Boolean(next || news.length || link.dataset.elsewhere);
  }

  function show(row) {
    for (let above = row.parentElement; above; above = above.parentElement) {
      if (above.localName === "details") above.open = true;
    }
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
  }

  // One's own message, once it is there. If it is not, it is on another page.
  function showSent(id) {
    return new Promise((resolve) => {
      appearing.set(id, resolve);
      parleyLiveEvents.renew("thread");
    });
  }

  function shown() {
    for (const [id, resolve] of appearing) {
      const row = document.getElementById(`m${id}`);
      if (!row && thread()?.querySelector(".continue")) location.assign(`/messages/${id}/thread`);
      if (!row) continue;
      appearing.delete(id);
      resolve();
      row.scrollIntoView({ block: "nearest" });
      own = row.id;
    }
  }

  // The first message seen from its beginning: it stays, whatever changes above it.
  function remember() {
    const edges = screen();
    const row = allRows().find((each) => topOf(each) >= edges.top && each.offsetHeight);
    held = row ? { id: row.id, top: topOf(row) } : null;
    scrolledTo = scrollY;
  }

  // What the reader scrolled since then is theirs, though its event is still to come.
  function hold() {
    const row = held && document.getElementById(held.id);
    if (row?.offsetHeight) scrollBy({ top: topOf(row) - held.top + (scrollY - scrolledTo), behavior: "instant" });
    remember();
  }

  const changes = new MutationObserver(hold);

  function look() {
    due = false;
    if (!thread()) return;
    remember();
    follow();
  }

  // Once for each frame.
  function lookSoon() {
    if (!due && thread()) requestAnimationFrame(look);
    due = Boolean(thread());
  }

  function open() {
    const place = thread();
    if (place !== opened) {
      opened = place;
      changes.disconnect();
      if (place) changes.observe(place, LAYOUT);
      const at = place?.dataset.at && !location.hash && document.getElementById(place.dataset.at);
      if (at) at.scrollIntoView({ block: "center" });
    }
    lookSoon();
  }

  addEventListener("DOMContentLoaded", open);
  addEventListener("htmx:afterSettle", open);
  addEventListener("parley:changed", () => {
    shown();
    open();
  });
  addEventListener("scroll", lookSoon, { passive: true });
  addEventListener("resize", lookSoon);
  for (const type of ["wheel", "touchmove", "keydown"]) {
    addEventListener(type, ({ target }) => (own = target.closest?.("#composer") ? own : null), { passive: true });
  }
  addEventListener("focusin", lookSoon);
  addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (composer() && event.target.closest?.("#thread [data-reply]")) composer().dataset.chosen = "";
    const cancels = composer() && event.target.closest?.("[data-follow]");
    if (!cancels && !(event.target.closest?.("[data-next-unread]") && nextUnread())) return;
    event.preventDefault();
    event.stopPropagation();
    if (cancels) cancelChoice(composer());
  }, true);

  window.parleyThread = Object.freeze({ nextUnread, showSent });
})();
