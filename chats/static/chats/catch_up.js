// Catching up: the focus goes on to the next card when one is done, and back to it after a reply.
(() => {
  "use strict";

  const cards = () => [...document.querySelectorAll(".waiting-card")];

  function nextTo(card) {
    const all = cards(), place = all.indexOf(card);
    return all[place + 1] ?? all[place - 1] ?? document.querySelector("#main");
  }

  function show(element) {
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }

  // Before its card is deleted: a key pressed meanwhile is for the next one.
  addEventListener("htmx:beforeSwap", ({ detail: { target, requestConfig: { elt }, shouldSwap } }) => {
    if (!shouldSwap) return;
    if (target.matches(".waiting-card")) show(nextTo(target));
    else if (elt.matches(".reply form")) show(target.closest(".waiting-card"));
  });

  addEventListener("toggle", ({ target }) => {
    if (target.open && target.matches?.(".reply")) target.querySelector("textarea").focus();
  }, true);
})();
