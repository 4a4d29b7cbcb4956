// Swagger UI is dark by a class: this one follows the system, as the pages do.
(() => {
  "use strict";

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => document.documentElement.classList.toggle("dark-mode", dark.matches);

  show();
  dark.addEventListener("change", show);
})();
