// The character counter. It counts as the server does: code points, not UTF-16 units, without leading blank
// lines and trailing blanks.
(() => {
  "use strict";

  const SHOWN_WITHIN = 500;

  function lengthOf(text) {
    return [...text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd()].length;
  }

  function counterOf(field) {
    const next = field.nextElementSibling;
    if (next?.matches("output.count")) return next;
    const counter = document.createElement("output");
    counter.className = "count quiet";
    field.after(counter);
    return counter;
  }

  function count(field) {
    const most = Number(field.dataset.most), length = lengthOf(field.value);
    const text = `${length.toLocaleString("en")} of ${most.toLocaleString("en")} characters`;
    field.setCustomValidity(length > most ? `Too long: ${text}.` : "");
    if (length > most - SHOWN_WITHIN) counterOf(field).textContent = text;
    else field.parentElement.querySelector("output.count")?.remove();
  }

  addEventListener("input", (event) => {
    if (event.target.matches?.("textarea[data-most]")) count(event.target);
  });
})();
