// Changes the page into the server's response, node by node, so that unchanged nodes keep focus,
// caret, selection, open menus and typed text. As an htmx swap: hx-swap="morph".
(() => {
  "use strict";

  // Attributes that scripts and users change; the response must not reset them.
  const THEIRS = new Set(["open", "aria-busy", "readonly", "tabindex"]);
  const MOST_PAIRS = 10_000;
  const OWN_CLASS = /^(htmx-|continued$)/;
  const isElement = (node) => node.nodeType === Node.ELEMENT_NODE;
  const isEdited = (node) => isElement(node) && node.matches(".editing");
  const fieldText = (field) => field.matches("textarea, input:not([type=hidden], [type=checkbox], [type=radio])");

  function morph(old, fresh) {
    if (!isElement(old)) return void (old.data !== fresh.data && (old.data = fresh.data));
    if (isEdited(old) || isRefused(old) || isSameTime(old, fresh)) return;
    const field = keptField(old);
    morphAttributes(old, fresh);
    if (old.localName !== "textarea") morphChildren(old, fresh);
    else if (old.defaultValue !== fresh.defaultValue) old.defaultValue = fresh.defaultValue;
    if (field === null) takeValue(old, fresh);
  }

  // A form that was refused stays with its words and its error until it is sent again, whatever changes around it.
  const isRefused = (node) => node.matches("form:has(.errorlist, [aria-invalid=true])") && ![...node.elements].some((field) => sent.has(field));

  // relative_times.js changes the text of these nodes to the reader's zone.
  const isSameTime = (old, fresh) => old.localName === "time" && old.dateTime === fresh.dateTime;

  // Keep what the user typed or ticked and has not sent.
  function keptField(field) {
    if (!field.matches("input:not([type=hidden]), textarea, select")) return undefined;
    if (field.matches("select")) return changedSelect(field) ? field.value : null;
    if (!fieldText(field)) return field.checked === field.defaultChecked ? null : field.checked;
    return field.value === field.defaultValue || field.value === sent.get(field) ? null : field.value;
  }

  const changedSelect = (field) => [...field.options].some((option) => option.selected !== option.defaultSelected);

  function takeValue(old, fresh) {
    sent.delete(old);
    if (old.matches("select")) return void (old.value = fresh.value);
    if (!fieldText(old)) return void (old.checked = fresh.checked);
    if (old.value !== fresh.value) old.value = fresh.value;
  }

  function morphAttributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !THEIRS.has(name) && name !== "class") old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (name !== "class" && !THEIRS.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const own = [...old.classList].filter((name) => OWN_CLASS.test(name));
    const classes = [...[...fresh.classList].filter((name) => !OWN_CLASS.test(name)), ...own].join(" ");
    if (classes !== [...old.classList].join(" ")) old.className = classes;
  }

  // Children with an id are matched by the id, wherever they are; others by similarity, in order.
  function morphChildren(old, fresh) {
    const wanted = [...fresh.childNodes], named = childrenById(old);
    const ids = new Set(wanted.map((child) => child.id).filter(Boolean));
    const after = continuation(old, fresh, ids);
    for (const [id, child] of named) if (!ids.has(id) && !after.has(child)) child.remove();
    const alike = pairs(unnamed(old), unnamed(fresh)), kept = new Set(alike.values());
    let at = old.firstChild;
    for (const child of wanted) {
      if (after.size && isElement(child) && child.matches(".more")) continue;
      const match = (child.id && named.get(child.id)) || alike.get(child) || (isText(at, child) ? at : null);
      if (!match || (match.nodeName !== child.nodeName && !isEdited(match))) {
        old.insertBefore(adopt(child), at);
        continue;
      }
      at = reach(old, at, match, kept);
      morph(match, child);
    }
    while (at && !after.has(at)) at = removed(at);
  }

  const childrenById = (parent) => new Map([...parent.children].filter(({ id }) => id).map((child) => [child.id, child]));

  // Keep rows that were loaded below the fetched page: the user is reading there.
  function continuation(old, fresh, ids) {
    const rows = [...old.children];
    const last = rows.findLastIndex((row) => ids.has(row.id));
    const goesOn = fresh.matches?.(".rows") && fresh.querySelector(":scope > .more");
    const longer = rows.filter((row) => row.id).length > ids.size;
    return new Set(goesOn && longer && last >= 0 ? rows.slice(last + 1) : []);
  }

  const isText = (at, child) => at && !isElement(child) && at.nodeName === child.nodeName;
  const unnamed = (parent) => [...parent.children].filter(({ id }) => !id);

  // Match old nodes with new ones, in order, so that as many as possible are kept. Very many nodes
  // (the links of a long text) are matched by position.
  function pairs(olds, news) {
    if (olds.length * news.length > MOST_PAIRS) return new Map(news.map((child, place) => [child, olds[place]]).filter(([child, old]) => old && likeness(old, child)));
    const best = Array.from({ length: olds.length + 1 }, () => new Array(news.length + 1).fill(0));
    const through = (from, to) => likeness(olds[from], news[to]) && likeness(olds[from], news[to]) + best[from + 1][to + 1];
    for (let from = olds.length - 1; from >= 0; from -= 1) {
      for (let to = news.length - 1; to >= 0; to -= 1) {
        best[from][to] = Math.max(best[from + 1][to], best[from][to + 1], through(from, to));
      }
    }
    const made = new Map();
    for (let from = 0, to = 0; from < olds.length && to < news.length; ) {
      if (best[from][to] && best[from][to] === through(from, to)) made.set(news[to++], olds[from++]);
      else if (best[from][to] === best[from + 1][to]) from += 1;
      else to += 1;
    }
    return made;
  }

  // Similarity: the same element with the same id inside counts most, then the class. Different
  // kinds of nodes do not match.
  function likeness(old, child) {
    const name = (node) => node.getAttribute(node.localName === "form" ? "action" : "name");
    if (old.localName !== child.localName || name(old) !== name(child)) return 0;
    const inner = old.querySelector("[id]")?.id;
    return 1 + 2 * (old.classList[0] === child.classList[0]) + 4 * Boolean(inner && child.querySelector(`#${CSS.escape(inner)}`));
  }

  // The node to continue from, once `match` is at `at`. Old nodes without a match may be skipped
  // on the way.
  function reach(parent, at, match, kept) {
    let next = at;
    while (next && next !== match && !next.id && !kept.has(next)) next = next.nextSibling;
    if (next === match) while (at !== match) at = removed(at);
    else move(parent, match, at);
    return next === match ? match.nextSibling : at;
  }

  function removed(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  function move(parent, node, before) {
    if (parent.moveBefore) return parent.moveBefore(node, before);
    const focused = node.contains(document.activeElement) ? document.activeElement : null;
    parent.insertBefore(node, before);
    focused?.focus({ preventScroll: true });
  }

  const adopt = (node) => document.importNode(node, true);

  function change(old, fresh) {
    const near = neighbours(old);
    morph(old, document.adoptNode(fresh));
    htmx.process(old);
    refocus(near);
  }

  const FOCUSABLE = ":is(a[href], button, summary, input:not([type=hidden]), textarea, select, [tabindex]):not(.hidden-text)";

  function neighbours(root) {
    const focused = document.activeElement;
    if (!focused || !root.contains(focused)) return null;
    const all = [...document.querySelectorAll(`:is(main, aside) ${FOCUSABLE}`)];
    const here = all.indexOf(focused);
    const beside = besides(root, "nextElementSibling") ?? besides(root, "previousElementSibling");
    const fold = focused.closest("details")?.querySelector("summary");
    return { root, own: root.id, fold, beside, around: [...all.slice(here + 1), ...all.slice(0, Math.max(0, here)).reverse()] };
  }

  // If the change removed the focused node, focus one near it: in its row, or in what replaced that; the fold that
  // it was in, rather than another button there; or the next row, and at the end the one before.
  function refocus(near) {
    const now = document.activeElement;
    if (!near || (now && now !== document.body)) return;
    const own = near.own && document.getElementById(near.own), isGone = !near.root.isConnected;
    const named = own && (own.matches("[tabindex]") ? own : isGone && own.querySelector(FOCUSABLE));
    const nearby = [named, near.fold, isGone && near.beside, ...near.around, document.querySelector("#main")];
    nearby.find((each) => each?.isConnected && each.checkVisibility())?.focus({ preventScroll: true });
  }

  function remove(row) {
    const near = neighbours(row);
    row.remove();
    refocus(near);
  }

  function besides(row, direction) {
    let each = row[direction];
    while (each && !each.matches("[tabindex]")) each = each[direction];
    return each;
  }

  // The content of a form when it was sent. The response may clear it, unless the user has typed
  // since.
  const sent = new WeakMap();
  addEventListener("htmx:beforeRequest", ({ detail: { requestConfig: { elt, verb } } }) => {
    if (verb === "get" || !elt.matches?.("form")) return;
    for (const field of elt.elements) if (field.matches("input, textarea")) sent.set(field, field.value);
  });
  // What was refused has not been done.
  addEventListener("htmx:afterRequest", ({ detail: { requestConfig: { elt }, successful } }) => {
    if (!successful && elt.matches?.("form")) for (const field of elt.elements) sent.delete(field);
  });

  let near = null;

  function settled() {
    refocus(near);
    near = null;
  }

  addEventListener("htmx:beforeSwap", ({ detail: { target, boosted } }) => (near = boosted ? null : neighbours(target)));
  addEventListener("htmx:afterSettle", settled);
  // Where something was only deleted, nothing settles.
  addEventListener("htmx:afterRequest", () => {
    if (near && !near.root.isConnected && !document.getElementById(near.own)) settled();
  });

  htmx.defineExtension("morph", {
    isInlineSwap: (style) => style === "morph",
    handleSwap(style, target, fragment) {
      if (style !== "morph") return false;
      const fresh = fragment.firstElementChild;
      if (!fresh) return [];
      change(target, window.parleyPanes?.asIn(target, fresh) ?? fresh);
      return [target];
    },
  });

  window.parleyMorph = Object.freeze({ change, remove });
})();
