// Announcements for screen readers: each new message in order; of a burst, the number of further
// messages.
(() => {
  "use strict";

  const MOST = 5, LENGTH = 280, STAYS = 10_000, SUMS_AFTER = 1_000;
  let more = 0, summing = null, clearing = null;

  const place = () => document.querySelector("#announcer");
  const cut = (text) => (text.length > LENGTH ? `${text.slice(0, LENGTH)} …` : text);

  // Each line is a node of its own, so that screen readers read only new lines and drop none.
  function announce(text) {
    const region = place();
    if (!region) return;
    clearing ??= setTimeout(clear, STAYS);
    if (region.childElementCount < MOST) return void add(region, cut(text));
    more += 1;
    summing ??= setTimeout(sum, SUMS_AFTER);
  }

  function add(region, text) {
    const line = document.createElement("span");
    line.textContent = `${text} `;
    region.append(line);
  }

  function sum() {
    summing = null;
    const region = place();
    if (more && region) add(region, `and ${more} more`);
    more = 0;
  }

  function clear() {
    clearTimeout(summing);
    sum();
    clearing = null;
    // Keep the last line, the number: it has not been read out yet.
    const lines = [...(place()?.children ?? [])];
    for (const line of lines.slice(0, MOST)) line.remove();
  }

  // What a search found, in a few words: while one types, nobody wants to hear all of it.
  addEventListener("htmx:afterSettle", ({ target, detail: { requestConfig } }) => {
    if (!requestConfig?.elt.matches?.(".search")) return;
    const count = target.querySelectorAll(".rows > li:not(.more)").length;
    const isPart = target.querySelector(".rows > .more");
    announce(count ? `${count}${isPart ? " or more" : ""} found` : target.querySelector(".empty").textContent);
  });

  window.parleyAnnouncer = Object.freeze({ announce });
})();
