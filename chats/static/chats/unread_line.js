// The line "New" and the strip above the messages: they stay as they were when the page was opened.
(() => {
  "use strict";

  const list = () => document.querySelector("#messages[data-first-unread]");
  const line = () => document.querySelector("#unread-line");
  const sequenceOf = (row) => Number(row.dataset.sequence);
  let opened = null;

  // The row it stands before; none as long as that may be among those not loaded yet.
  function firstNew(place) {
    const first = Number(place.dataset.firstUnread), rows = [...place.querySelectorAll(".message")];
    const found = rows.findIndex((row) => sequenceOf(row) >= first);
    const isFirst = found > 0 || sequenceOf(rows[found] ?? place) === first || !place.querySelector(".older");
    return found >= 0 && isFirst ? rows[found] : null;
  }

  // Rows are shared by all readers: those that are fetched later come without it.
  function draw() {
    const place = list(), row = place?.dataset.firstUnread && firstNew(place);
    if (row && row.previousElementSibling !== line()) row.before(line() ?? make());
    const form = document.querySelector("#unread-strip form");
    if (row && form && parleyMessageList.isWhole() && parleySeen.isAllSeen(place)) form.remove();
  }

  function make() {
    const made = document.createElement("li");
    Object.assign(made, { className: "unread-line", id: "unread-line" });
    made.append(Object.assign(document.createElement("span"), { textContent: "New" }));
    return made;
  }

  function changed() {
    draw();
    const place = list();
    if (place === opened) return;
    opened = place;
    if (place?.dataset.opens === "unread" && line()) parleyScroll.show(line());
  }

  addEventListener("DOMContentLoaded", changed);
  addEventListener("htmx:afterSettle", changed);
  addEventListener("parley:changed", draw);
  addEventListener("parley:read", draw);
  // What is here already need not be fetched.
  addEventListener("click", (event) => {
    if (!event.target.closest?.("#unread-strip a") || event.ctrlKey || event.metaKey || event.shiftKey || !line()) return;
    event.preventDefault();
    event.stopPropagation();
    parleyScroll.show(line());
    line().nextElementSibling?.focus({ preventScroll: true });
  }, true);
})();
