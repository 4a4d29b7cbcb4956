// A list of options below a text field. The focus stays in the field, which names the active option.
(() => {
  "use strict";

  function make(field, list) {
    const options = () => [...list.querySelectorAll("[role=option]")];
    const active = () => list.querySelector("[aria-selected=true]");

    function activate(option) {
      for (const each of options()) each.setAttribute("aria-selected", String(each === option));
      if (!option) return field.removeAttribute("aria-activedescendant");
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }

    function move(step) {
      const all = options(), here = all.indexOf(active());
      activate(all.at((here + step) % all.length));
    }

    // Show options that the server wrote; return how many they are.
    function fill(html) {
      const fresh = new DOMParser().parseFromString(`<ul>${html}</ul>`, "text/html");
      list.replaceChildren(...[...fresh.querySelectorAll("[role=option]")].map((option) => document.importNode(option, true)));
      const all = options();
      list.hidden = !all.length;
      if (field.role === "combobox") field.ariaExpanded = String(!list.hidden);
      activate(all[0]);
      return all.length;
    }

    // The field keeps the focus when an option is pressed.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    return Object.freeze({ activate, active, fill, move });
  }

  window.parleyListbox = Object.freeze({ make });
})();
