// While a form is being sent, it cannot be sent again or edited: the response would overwrite new
// text.
(() => {
  "use strict";

  // After this time the user may try again, in case they stopped the page from loading.
  const GIVEN_UP = 15_000;
  const locked = new WeakMap(), begun = new WeakSet();

  const isGuarded = (form) => form.method === "post" && form.id !== "composer";
  const openFields = (form) => [...form.elements].filter((field) => field.matches("input, textarea") && !field.readOnly);

  function lock(form) {
    const fields = openFields(form);
    for (const field of fields) field.readOnly = true;
    form.setAttribute("aria-busy", "true");
    locked.set(form, fields);
  }

  function release(form) {
    for (const field of locked.get(form) ?? []) field.readOnly = false;
    form.removeAttribute("aria-busy");
    locked.delete(form);
  }

  addEventListener("submit", (event) => {
    const form = event.target;
    if (!isGuarded(form)) return;
    if (locked.has(form)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    lock(form);
    if (form.closest("[hx-boost]")?.getAttribute("hx-boost") === "false") setTimeout(() => release(form), GIVEN_UP);
  }, true);
  // A form that is being sent cannot be cancelled: its response tells how it ended.
  addEventListener("click", (event) => {
    if (!event.target.closest?.("form[aria-busy] [data-cancel]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  addEventListener("htmx:afterRequest", ({ detail: { requestConfig: { elt } } }) => {
    if (locked.has(elt)) release(elt);
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) for (const form of document.forms) release(form);
  });
  // One goes on where a text ends; once, and not each time the field gets the focus.
  function goToEnd(field) {
    if (!field?.matches("textarea[autofocus]") || begun.has(field)) return;
    begun.add(field);
    if (!field.selectionEnd) field.setSelectionRange(field.value.length, field.value.length);
  }

  addEventListener("focusin", ({ target }) => goToEnd(target));
  addEventListener("DOMContentLoaded", () => goToEnd(document.activeElement));
  // The link of a demo signs in whoever opens it, as long as scripts run; else there is the button.
  addEventListener("DOMContentLoaded", () => {
    if (!document.prerendering) document.querySelector("form[data-submit-now]")?.requestSubmit();
  });

  // The character counter. It counts as the server does: code points, not UTF-16 units, without leading blank
  // lines and trailing blanks.
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
