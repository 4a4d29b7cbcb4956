// The open conversation: takes in what is new or changed, and tells what has been seen.
(() => {
  "use strict";

  const PAGES_AT_ONCE = 20;
  const list = () => document.querySelector("#messages[data-conversation]");
  const sequenceOf = (message) => Number(message.dataset.sequence);
  const messagesIn = (root) => [...root.querySelectorAll(".message")];
  let seen = 0, telling = null, working = Promise.resolve();

  // The list ends with the newest message, and not somewhere before it.
  const isWhole = (place) => !place.querySelector(".newer") && !document.querySelector(".to-end");

  async function fetchRows(place, query) {
    const answer = await fetch(`${place.dataset.rows}${query}`, { headers: { "HX-Request": "true" } });
    const door = answer.headers.get("HX-Redirect");
    if (door) location.assign(door);
    if (!answer.ok || door) throw new Error(`rows: ${answer.status}`);
    const page = new DOMParser().parseFromString(`<ol>${await answer.text()}</ol>`, "text/html");
    return page.querySelector("ol");
  }

  function adopt(message) {
    const mine = document.importNode(message, true);
    htmx.process(mine);
    return mine;
  }

  // Replace what is there, add what comes after it, remove what is gone.
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
        if (!old.matches(".editing") && differs(old, message)) old.replaceWith(adopt(message));
      } else if (whole && sequenceOf(message) > last) {
        place.querySelector(".none-yet")?.remove();
        added.push(place.appendChild(adopt(message)));
      }
    }
    for (const gone of known.values()) {
      const sequence = sequenceOf(gone);
      if (sequence > from && sequence <= through && !gone.matches(".editing")) gone.remove();
    }
    tidy(place);
    return { added, next: more && through };
  }

  const text = (message) => message.querySelector(".body")?.textContent;
  const shape = (message) => message.querySelector(".by b")?.textContent;

  function differs(old, message) {
    return (
      text(old) !== text(message) ||
      shape(old) !== shape(message) ||
      old.classList.contains("deleted") !== message.classList.contains("deleted") ||
      old.querySelector(".under")?.textContent !== message.querySelector(".under")?.textContent ||
      old.querySelector(".answers")?.textContent !== message.querySelector(".answers")?.textContent
    );
  }

  // Whoever goes on writing within five minutes is not named again.
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
        !row.querySelector(".answers") && time - before.time < 300_000;
      row.classList.toggle("continued", Boolean(goesOn));
      before = row.matches(".editing") ? null : { sender: row.dataset.sender, time };
    }
    dispatchEvent(new Event("parley:changed"));
    watch();
  }

  // One after the other, so that no two answers cross.
  function take(from, through = Infinity) {
    working = working.then(() => catchUp(from, through)).catch(() => {});
    return working;
  }

  async function catchUp(from, through) {
    const place = list();
    if (!place || (from === undefined && !isWhole(place))) return;
    let after = from ?? lastSequence(place);
    for (let page = 0; page < PAGES_AT_ONCE && after !== null && after < through; page += 1) {
      const rows = await fetchRows(place, `?after=${after}`);
      if (place !== list()) return;
      const { added, next } = merge(place, rows, after);
      tell(added, place);
      after = next;
    }
  }

  const lastSequence = (place) => Math.max(0, ...messagesIn(place).map(sequenceOf));
  const firstSequence = (place) => Math.min(Infinity, ...messagesIn(place).map(sequenceOf));

  function tell(added, place) {
    const theirs = added.filter((message) => message.dataset.sender !== place.dataset.user);
    const newest = theirs.at(-1);
    if (newest) parley.announce(`${newest.querySelector(".by b").textContent}: ${text(newest)}`);
  }

  function changed(first, last = first) {
    const place = list();
    if (!place) return;
    const from = Math.max(first, firstSequence(place));
    if (from <= last) take(from - 1, last);
  }

  // All that is shown, after an absence.
  function renew() {
    const place = list();
    if (!place) return;
    const first = firstSequence(place);
    take(Number.isFinite(first) ? first - 1 : 0);
  }

  // What was on the screen of someone who looks at it has been read.
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting && document.visibilityState === "visible") saw(sequenceOf(target));
    }
  });

  function watch() {
    observer.disconnect();
    const place = list();
    if (!place?.dataset.firstUnread) return;
    for (const message of messagesIn(place)) if (sequenceOf(message) > seen) observer.observe(message);
  }

  function saw(sequence) {
    seen = Math.max(seen, sequence);
    telling ??= setTimeout(tellSeen, 800);
  }

  function tellSeen() {
    telling = null;
    const place = list();
    if (!place || !seen) return;
    const strip = document.querySelector("#unread-strip");
    if (seen >= lastSequence(place) && isWhole(place)) strip?.remove();
    htmx.ajax("POST", place.dataset.read, { source: place, swap: "none", values: { up_to: seen } });
  }

  function opened() {
    const place = list();
    const conversation = place?.dataset.conversation;
    if (place && conversation !== opened.last) seen = 0;
    opened.last = conversation;
    if (place) tidy(place);
  }

  addEventListener("DOMContentLoaded", opened);
  addEventListener("htmx:afterSettle", (event) => {
    if (event.target.closest?.("#messages") || event.target.matches?.("body")) opened();
  });
  addEventListener("parley:sent", () => {
    take().then(() => document.querySelector("#scroll")?.scrollTo(0, 0));
  });
  addEventListener("visibilitychange", watch);

  window.parleyTimeline = Object.freeze({ changed, list, renew, take, unreadCame });

  function unreadCame() {
    const place = list();
    if (place) place.dataset.firstUnread ||= "live";
    watch();
  }
})();
