// "?" shows the keys in a dialog: what the page of them shows.
(() => {
  "use strict";

  const link = () => document.querySelector("a[data-keys]");

  async function open() {
    const keys = await parleyRefresh.fetchFragment(link().getAttribute("href")).catch(() => null);
    if (keys === null) return parley.complain(parley.UNREACHED);
    if (document.querySelector("dialog[open]")) return;
    const dialog = Object.assign(document.createElement("dialog"), { id: "keys", className: "card", innerHTML: keys });
    dialog.setAttribute("aria-label", "Keys");
    const close = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Close", autofocus: true });
    close.addEventListener("click", () => dialog.close());
    // At its head: it has the focus, and one reads from there.
    dialog.prepend(Object.assign(document.createElement("p"), { className: "side-head" }));
    dialog.firstElementChild.append(close);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    document.body.append(dialog);
    dialog.showModal();
  }

  addEventListener("click", (event) => {
    if (!event.target.closest?.("a[data-keys]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    open();
  }, true);

  window.parleyKeys = Object.freeze({ canOpen: () => Boolean(link()), open });
})();
