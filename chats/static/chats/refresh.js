// Debounced fetching: soon after a change, not too often, and always up to the last change.
(() => {
  "use strict";

  // Debounce and throttle: wait for QUIET after the last request, at most CEILING, and leave GAP between two
  // starts.
  const QUIET = 300, CEILING = 2_000, GAP = 1_000, LONGEST = 60_000;
  const works = new Map();

  function workOf(name) {
    if (!works.has(name)) works.set(name, { due: 0, started: 0, running: false, failures: 0, timer: null });
    return works.get(name);
  }

  // Run `action` once for all callers that ask meanwhile, and never twice at a time.
  function ask(name, action, { quiet = QUIET, gap = GAP } = {}) {
    const work = workOf(name);
    work.action = action;
    work.gap = gap;
    work.due ||= Date.now() + CEILING;
    if (!work.running) start(work, quiet);
  }

  function start(work, wait) {
    const now = Date.now();
    const at = Math.max(Math.min(now + wait, work.due), work.started + work.gap, work.notBefore ?? 0);
    clearTimeout(work.timer);
    work.timer = setTimeout(() => run(work), Math.max(0, at - now));
  }

  // If it is asked for while it runs, run it again: the data may have changed since it was
  // fetched.
  async function run(work) {
    Object.assign(work, { due: 0, started: Date.now(), running: true, notBefore: 0 });
    try {
      await work.action();
      work.failures = 0;
    } catch (error) {
      postpone(work, error);
    }
    work.running = false;
    if (work.due) start(work, QUIET);
  }

  function postpone(work, { retryAfter = 0 }) {
    work.failures += 1;
    const pause = Math.max(retryAfter * 1000, Math.min(LONGEST, 1000 * 2 ** work.failures));
    work.notBefore = work.due = Date.now() + pause;
  }

  // session.js handles a redirect to the sign-in page, and keeps or removes drafts. A 429 or 503
  // says when to try again.
  async function fetchFragment(address, options = {}) {
    const answer = await fetch(address, { ...options, headers: { "HX-Request": "true", ...options.headers } });
    const redirect = answer.headers.get("HX-Redirect");
    if (redirect) parleySession.check();
    if (answer.status === 404) parleySession.checkMembership();
    if (redirect || (answer.status >= 400 && answer.status < 500 && answer.status !== 429)) return null;
    if (!answer.ok) throw Object.assign(new Error(`${address}: ${answer.status}`), { retryAfter: pauseOf(answer) });
    return answer.text();
  }

  // Back online: retry at once what failed offline.
  addEventListener("online", () => {
    for (const work of works.values()) {
      Object.assign(work, { failures: 0, notBefore: 0 });
      if (work.due && !work.running) start(work, QUIET);
    }
  });

  const pauseOf = (answer) => Number(answer.headers.get("Retry-After")) || 0;

  window.parleyRefresh = Object.freeze({ ask, fetchFragment, pauseOf });
})();
