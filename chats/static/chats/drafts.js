// What was written and not sent yet is kept, for each person and conversation, until it is.
(() => {
  "use strict";

  const PREFIX = "parley.draft.";

  function keyOf(form) {
    const user = document.querySelector("#messages")?.dataset.user;
    return user && form.dataset.conversation ? `${PREFIX}${user}.${form.dataset.conversation}` : null;
  }

  // Where nothing can be kept (private windows), pages work all the same.
  function storage(deed) {
    try {
      return deed(localStorage);
    } catch {
      return null;
    }
  }

  function restore() {
    const form = document.querySelector("#composer");
    const field = form?.elements.content;
    if (!field || field.value) return;
    const key = keyOf(form);
    field.value = (key && storage((kept) => kept.getItem(key))) || "";
  }

  function keep(form) {
    const key = keyOf(form), text = form.elements.content.value;
    if (key) storage((kept) => (text ? kept.setItem(key, text) : kept.removeItem(key)));
  }

  function forgetAll() {
    storage((kept) => {
      for (const key of Object.keys(kept)) if (key.startsWith(PREFIX)) kept.removeItem(key);
    });
  }

  addEventListener("input", (event) => {
    const form = event.target.closest?.("#composer");
    if (form) keep(form);
  });
  addEventListener("submit", (event) => {
    // On somebody's machine nothing of what they wrote stays behind.
    if (event.target.getAttribute("action") === "/sign-out") forgetAll();
  });
  addEventListener("htmx:beforeSwap", (event) => {
    const sent = event.detail.requestConfig?.elt;
    if (sent?.id !== "composer" || event.detail.xhr.status >= 300) return;
    const key = keyOf(sent);
    if (key) storage((kept) => kept.removeItem(key));
  });
  addEventListener("DOMContentLoaded", () => {
    if (document.querySelector("[data-forget]")) forgetAll();
    restore();
  });
  addEventListener("htmx:afterSettle", restore);
})();
