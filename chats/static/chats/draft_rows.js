// In the list of conversations: what one began to write in each, and what is not sent yet.
(() => {
  "use strict";

  const LONGEST = 280;

  function draw() {
    const rows = [...document.querySelectorAll("#list-rows > li[id]")];
    if (!rows.length) return;
    const drafts = parleyDrafts.ofConversations(), unsent = parleyOutbox.ofConversations();
    for (const row of rows) {
      const id = row.id.slice(1);
      if (unsent.has(id)) show(row, "Not sent yet", unsent.get(id));
      else if (drafts.has(id)) show(row, "Draft", drafts.get(id));
      else row.querySelector(".row-draft")?.remove();
    }
  }

  function show(row, label, text) {
    const line = row.querySelector(".row-draft") ?? make(row.querySelector(".row-last"));
    const [bold, rest] = line.children, words = text.slice(0, LONGEST);
    if (bold.textContent !== `${label}:`) bold.textContent = `${label}:`;
    if (rest.textContent !== words) rest.textContent = words;
  }

  function make(last) {
    const line = Object.assign(document.createElement("span"), { className: "row-draft" });
    line.append(document.createElement("b"), " ", document.createElement("bdi"));
    last.before(line);
    return line;
  }

  addEventListener("DOMContentLoaded", draw);
  addEventListener("htmx:afterSettle", draw);
  addEventListener("parley:changed", draw);
  addEventListener("parley:unsent", draw);
  addEventListener("storage", draw);
})();
