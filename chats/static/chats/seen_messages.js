// Read is what was seen: a message whose end, or half a screen of it, was on the screen for a moment.
(() => {
  "use strict";

  const MOMENT = 500, SOON = { quiet: 400, gap: 500 }, MOST_RANGES = 100;
  const visits = new WeakMap(), unsent = new Set(), near = new Set();
  let timer = null;

  // The list of a conversation, and a thread, by itself or in the panel: what is read there, its address says.
  const places = () => [...document.querySelectorAll("[data-read]")];
  const conversationOf = (place) => Number(place.dataset.conversation ?? place.dataset.liveConversation);
  const sequenceOf = (row) => Number(row.dataset.sequence);
  const rowsIn = (place) => [...place.querySelectorAll(".message[data-sequence]")];
  const ascending = (one, other) => one - other;

  // A visit begins with its page: since when rows are on the screen, which were seen, which have still to be told.
  function visitOf(place) {
    if (!visits.has(place)) visits.set(place, { since: new Map(), seen: new Set(), waiting: new Set(), kept: [] });
    return visits.get(place);
  }

  // Tells which rows are worth measuring.
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) isIntersecting ? near.add(target) : near.delete(target);
    look();
  });

  function watch() {
    for (const row of places().flatMap(rowsIn)) observer.observe(row);
    look();
  }

  function look(looking = document.visibilityState === "visible") {
    clearTimeout(timer);
    const waits = places().map((place) => lookAt(place, looking ? sequencesOnScreen(place) : []));
    if (waits.includes(true)) timer = setTimeout(look, MOMENT + 20);
  }

  // Whether something is on the screen that will have been seen in a moment.
  function lookAt(place, shown) {
    const visit = visitOf(place), now = performance.now();
    visit.since = new Map(shown.map((sequence) => [sequence, visit.since.get(sequence) ?? now]));
    const fresh = shown.filter((sequence) => isUnread(place, sequence) && !visit.seen.has(sequence));
    for (const sequence of fresh) if (now - visit.since.get(sequence) >= MOMENT) saw(place, visit, sequence);
    return fresh.some((sequence) => !visit.seen.has(sequence));
  }

  function sequencesOnScreen(place) {
    const screen = screenOf(place);
    return [...near].filter((row) => place.contains(row) && isShown(row, screen)).map(sequenceOf);
  }

  function screenOf(place) {
    const scroll = place.closest("#scroll, #side");
    if (scroll) return scroll.getBoundingClientRect();
    // In a thread its head and composer lie over the page, on phones the navigation.
    const [head, ...feet] = [".thread-head", ".thread .foot", ".navigation"].map((each) => document.querySelector(each)?.getBoundingClientRect());
    return { top: head?.bottom ?? 0, bottom: Math.min(innerHeight, ...feet.filter((foot) => foot?.top > 0).map(({ top }) => top)) };
  }

  function isShown(row, screen) {
    const { top, bottom } = row.getBoundingClientRect();
    const height = Math.min(bottom, screen.bottom) - Math.max(top, screen.top);
    return height > 1 && (bottom <= screen.bottom + 1 || height >= (screen.bottom - screen.top) / 2);
  }

  // Before the first unread one, nothing need be told.
  const isUnread = (place, sequence) => sequence >= Number(place.dataset.unreadFrom || Infinity);
  const isKept = ({ kept }, sequence) => kept.some(({ from, through }) => from <= sequence && sequence <= through);

  function saw(place, visit, sequence) {
    visit.seen.add(sequence);
    visit.waiting.add(sequence);
    unsent.add(place);
    parleyRefresh.ask("seen", sendAll, SOON);
  }

  async function sendAll() {
    for (const place of [...unsent]) await send(place);
  }

  async function send(place, options = {}) {
    const visit = visitOf(place), told = [...visit.waiting];
    visit.waiting.clear();
    unsent.delete(place);
    const ranges = rangesOf(told.filter((sequence) => !isKept(visit, sequence)).sort(ascending));
    try {
      for (let from = 0; from < ranges.length; from += MOST_RANGES) await post(place, ranges.slice(from, from + MOST_RANGES), options);
    } catch (error) {
      for (const sequence of told) visit.waiting.add(sequence);
      unsent.add(place);
      throw error;
    }
    if (ranges.length) dispatchEvent(new Event("parley:read"));
  }

  // A number that is not on the page is a message of another branch, or deleted: the range ends before it.
  function rangesOf(sequences) {
    const ranges = [];
    for (const sequence of sequences) {
      const last = ranges.at(-1);
      if (last?.through === sequence - 1) last.through = sequence;
      else ranges.push({ from: sequence, through: sequence });
    }
    return ranges.map(({ from, through }) => ["range", `${from}-${through}`]);
  }

  async function post(place, ranges, options) {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value;
    // The session has ended, and session.js has replaced the page with its forms.
    if (!token) return;
    const body = new URLSearchParams(ranges), headers = { "X-CSRFToken": token };
    const answer = await parleyRefresh.fetchFragment(place.dataset.read, { method: "POST", body, headers, ...options });
    const badge = answer && new DOMParser().parseFromString(answer, "text/html").querySelector("#unread");
    if (badge) parley.setUnread(Number(badge.dataset.count));
  }

  // The last ones are told while the page goes away.
  function leave() {
    look(true);
    for (const place of [...unsent]) send(place, { keepalive: true }).catch(() => {});
  }

  // Someone else's message arrived.
  function noteUnread(sequence) {
    for (const place of places()) place.dataset.unreadFrom = String(Math.min(Number(place.dataset.unreadFrom || Infinity), sequence));
    look();
  }

  // What its reader marked unread stays so for the visit, in whichever tab they did it.
  function keepUnread(conversation, from, through) {
    for (const place of places()) if (conversationOf(place) === conversation) visitOf(place).kept.push({ from, through });
  }

  function isAllSeen(place) {
    const visit = visitOf(place);
    return rowsIn(place).map(sequenceOf).every((sequence) => !isUnread(place, sequence) || (visit.seen.has(sequence) && !isKept(visit, sequence)));
  }

  addEventListener("htmx:beforeRequest", ({ detail: { requestConfig: { verb, path } } }) => {
    const id = verb === "post" && /\/messages\/(\d+)\/unread$/.exec(path)?.[1];
    const row = id && document.querySelector(`[data-read] .message[data-id="${id}"]`);
    if (row) keepUnread(conversationOf(row.closest("[data-read]")), sequenceOf(row), sequenceOf(row));
  });
  addEventListener("DOMContentLoaded", watch);
  addEventListener("htmx:afterSettle", watch);
  addEventListener("parley:changed", watch);
  addEventListener("scroll", () => look(), { capture: true, passive: true });
  addEventListener("resize", () => look());
  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") leave();
    look();
  });

  window.parleySeen = Object.freeze({ isAllSeen, keepUnread, noteUnread });
})();
