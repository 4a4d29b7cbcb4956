// Copies a secret that is shown once: the button names the element whose text it copies.
(() => {
  "use strict";

  // Without HTTPS, browsers give no clipboard: the text can still be selected.
  function show() {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copies]")) button.hidden = false;
  }

  addEventListener("click", async ({ target }) => {
    const button = target.closest?.("[data-copies]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = "Copied";
    } catch {
      window.parley.complain("The browser did not let it be copied. Select it instead.");
    }
  });
  addEventListener("DOMContentLoaded", show);
  addEventListener("htmx:afterSettle", show);
})();
