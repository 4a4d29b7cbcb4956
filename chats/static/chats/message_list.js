// The message list of the open conversation: merges new and changed messages.
(() => {
  "use strict";

  const PAGES_AT_ONCE = 20, COUNT = '.under a[href$="/thread"]';
  const list = () => document.querySelector("#messages[data-conversation]");
  const sequenceOf = (message) => Number(message.dataset.sequence);
  const messagesIn = (root) => [...root.querySelectorAll(".message")];
  const announced = new Set();
  let wanted = [], fetching = null, fetchingNewest = null, tidying = false;

  // Whether the list ends with the newest message.
  const isWhole = (place = list()) => Boolean(place) && !place.querySelector(".newer") && place.dataset.ends !== "early";

  async function fetchRows(place, query) {
    const rows = await parleyRefresh.fetchFragment(`${place.dataset.rows}${query}`);
    return rows === null ? null : new DOMParser().parseFromString(`<ol>${rows}</ol>`, "text/html").querySelector("ol");
  }

  function adopt(message) {
    const mine = document.importNode(message, true);
    htmx.process(mine);
    return mine;
  }

  // Insert it before messages that are still being sent.
  function append(place, message) {
    const mine = adopt(message);
    place.insertBefore(mine, place.querySelector(".unsent"));
    return mine;
  }

  // Update known messages, add new ones, remove deleted ones.
  function merge(place, rows, from) {
    const fetched = messagesIn(rows), known = new Map(messagesIn(place).map((each) => [each.id, each]));
    const last = Math.max(0, ...[...known.values()].map(sequenceOf));
    const more = rows.querySelector(".newer");
    const through = more ? sequenceOf(fetched.at(-1)) : Infinity;
    const whole = isWhole(place);
    const added = [];
    for (const message of fetched) {
      const old = known.get(message.id);
      known.delete(message.id);
      if (old) {
        if (!old.matches(".editing") && differs(old, message)) parleyMorph.change(old, message);
      } else if (whole && sequenceOf(message) > last) {
        place.querySelector(".none-yet")?.remove();
        added.push(append(place, message));
      }
    }
    for (const gone of known.values()) {
      const sequence = sequenceOf(gone);
      if (sequence > from && sequence <= through && !gone.matches(".editing")) parleyMorph.remove(gone);
    }
    tidy(place);
    return { added, next: more && through };
  }

  const text = (message) => message.querySelector(".body")?.textContent;
  const shape = (message) => message.querySelector(".by b")?.textContent;

  function differs(old, message) {
    return (
      // A mention is a link as long as whom it names takes part.
      old.querySelector(".body")?.innerHTML !== message.querySelector(".body")?.innerHTML ||
      shape(old) !== shape(message) ||
      old.classList.contains("deleted") !== message.classList.contains("deleted") ||
      old.querySelector(".under")?.textContent !== message.querySelector(".under")?.textContent ||
      old.querySelector(".answers")?.textContent !== message.querySelector(".answers")?.textContent
    );
  }

  const dayOf = (time) => Math.floor(time / 86_400_000);

  // On the same UTC day, as on the server. Timestamps of imported messages may go backwards.
  const isSoonAfter = (before, time) =>
    before <= time && time - before < 300_000 && dayOf(before) === dayOf(time);

  // Messages that a sender writes within five minutes have one name above them.
  function tidy(place) {
    let before = null;
    for (const row of place.children) {
      if (!row.matches(".message")) {
        before = null;
        continue;
      }
      const time = new Date(row.querySelector("time")?.dateTime ?? NaN).getTime();
      const goesOn =
        before && before.sender === row.dataset.sender && row.dataset.sender &&
        !row.querySelector(".answers") && isSoonAfter(before.time, time);
      row.classList.toggle("continued", Boolean(goesOn));
      before = row.matches(".editing") ? null : { sender: row.dataset.sender, time };
    }
    dispatchEvent(new Event("parley:changed"));
  }

  // Ranges of sequences to fetch again; a range without `from` is everything after the last
  // message shown. A burst of changes is one request, for at most as many rows as a page has.
  const NEAR = 50, AT_ONCE = { quiet: 0, gap: 500 };

  function fetchRange(from, through = Infinity) {
    const near = wanted.find((range) => overlaps(range, from, through));
    if (!near) wanted.push({ from, through });
    else if (from !== undefined) Object.assign(near, { from: Math.min(near.from, from), through: Math.max(near.through, through) });
    fetching ??= Promise.withResolvers?.() ?? deferred();
    parleyRefresh.ask("messages", catchAllUp, AT_ONCE);
    return fetching.promise;
  }

  function overlaps(range, from, through) {
    if (from === undefined || range.from === undefined) return from === range.from;
    return from <= range.through + NEAR && range.from <= through + NEAR;
  }

  function deferred() {
    const made = {};
    made.promise = new Promise((resolve) => (made.resolve = resolve));
    return made;
  }

  async function catchAllUp() {
    const ranges = wanted, done = fetching;
    wanted = [];
    fetching = null;
    try {
      for (const { from, through } of ranges) await catchUp(from, through);
    } catch (error) {
      wanted = [...ranges, ...wanted];
      throw error;
    } finally {
      done?.resolve();
    }
  }

  async function catchUp(from, through) {
    const place = list();
    if (!place || (from === undefined && !isWhole(place))) return;
    let after = from ?? lastSequence(place);
    for (let page = 0; page < PAGES_AT_ONCE && after !== null && after < through; page += 1) {
      const rows = await fetchRows(place, `?after=${after}`);
      if (!rows || place !== list()) return;
      const { added, next } = merge(place, rows, after);
      tellOf(added);
      after = next;
    }
  }

  const lastSequence = (place) => Math.max(0, ...messagesIn(place).map(sequenceOf));
  const firstSequence = (place) => Math.min(Infinity, ...messagesIn(place).map(sequenceOf));

  const isNews = (message) => message.dataset.sender !== document.body.dataset.user && !message.matches(".deleted");

  function tellOf(added) {
    for (const message of added.filter(isNews)) {
      parleySeen.noteUnread(sequenceOf(message));
      parleyNewBelow.add(message.dataset.id);
    }
    announceAll(added);
  }

  // Once, though a message may stand in the conversation and in a thread beside it.
  function announceAll(added) {
    for (const message of added.filter((each) => isNews(each) && !announced.has(each.dataset.id))) {
      announced.add(message.dataset.id);
      parleyAnnouncer.announce(`${message.querySelector(".by b")?.textContent ?? ""}: ${text(message) ?? ""}`);
    }
  }

  // Announce the new messages of a fragment, in the order in which they were sent.
  function announcingNew(fragment, action) {
    const last = lastSequence(fragment);
    action();
    if (last) announceAll(messagesIn(fragment).filter((each) => sequenceOf(each) > last).sort((a, b) => sequenceOf(a) - sequenceOf(b)));
  }

  // In place of rows that end somewhere before them.
  async function replaceByNewest() {
    const place = list(), rows = place && (await fetchRows(place, ""));
    if (!rows || place !== list()) return;
    place.replaceChildren(...[...rows.children].map(adopt), ...place.querySelectorAll(".unsent"));
    delete place.dataset.ends;
    history.replaceState(history.state, "", location.pathname);
    tidy(place);
    // What came while they were fetched.
    fetchRange();
  }

  const showNewest = () => (fetchingNewest ??= replaceByNewest().finally(() => (fetchingNewest = null)));

  // What was sent is shown, wherever in the conversation one stood.
  async function showSent() {
    const place = list();
    if (!isWhole()) await parleyScroll.toEnd().catch(() => {});
    if (place === list() && isWhole()) await fetchRange();
  }

  // A message that is too far down to be added, and so to be announced by what it says.
  function noteNew({ id, sender }) {
    if (isWhole() || String(sender?.id) === document.body.dataset.user) return;
    parleyNewBelow.add(id);
    parleyAnnouncer.announce(document.querySelector("#to-end a span").textContent);
  }

  function changed(first, last = first) {
    const place = list();
    if (!place) return;
    const from = Math.max(first, firstSequence(place));
    if (from <= last) fetchRange(from - 1, last);
  }

  // The event does not say what a deleted message answered: whichever has replies above may have one less.
  function deleted(sequence) {
    const counted = list() ? messagesIn(list()).filter((each) => each.querySelector(COUNT)).map(sequenceOf) : [];
    changed(Math.min(sequence, ...counted), sequence);
  }

  // A reply changes the count of its parent, if that is on the page.
  function answered(id) {
    const parent = id && list()?.querySelector(`.message[data-id="${id}"]`);
    if (parent) changed(sequenceOf(parent));
  }

  // After an absence: fetch all messages on the page again.
  function renew() {
    const place = list();
    if (!place) return;
    const first = firstSequence(place);
    fetchRange(Number.isFinite(first) ? first - 1 : 0);
  }

  function opened() {
    tidying = false;
    if (list()) tidy(list());
  }

  // htmx tells of every row that it inserted, one after another: tidy once, after the last.
  function tidySoon() {
    if (!tidying) queueMicrotask(opened);
    tidying = true;
  }

  addEventListener("DOMContentLoaded", opened);
  addEventListener("htmx:afterSettle", (event) => {
    if (event.target.closest?.("#messages") || event.target.matches?.("body")) tidySoon();
  });
  // Close an edit whose message was deleted, and show the tombstone, if any.
  addEventListener("click", (event) => {
    const row = event.target.closest?.("[data-close]")?.closest(".message");
    if (!row) return;
    event.preventDefault();
    event.stopPropagation();
    dispatchEvent(new CustomEvent("parley:deleted", { detail: row.dataset.id }));
    if (!list()) return parleyMorph.remove(row);
    row.classList.remove("editing");
    changed(sequenceOf(row));
  }, true);

  window.parleyMessageList = Object.freeze({ announcingNew, answered, changed, deleted, fetchRange, isWhole, list, noteNew, renew, showNewest, showSent });
})();
