// Shows relative times, with the exact time in the reader's zone on hover, and date lines in that
// zone.
(() => {
  "use strict";

  const MINUTE = 60, HOUR = 3600, DAY = 86400;
  // How far ahead the clock of another server may be.
  const SKEW = 5 * MINUTE;
  const language = document.documentElement.lang || undefined;
  const usual = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  // Beside a title, in a narrow list.
  const brief = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "narrow" });
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  const thisYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  const otherYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
  const longDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

  function ago(when, now, relative) {
    const seconds = (when - now) / 1000, past = -seconds;
    if (past > -SKEW && past < 45) return "now";
    // Half a minute before, it is rounded to an hour.
    if (past > 0 && past < HOUR - MINUTE / 2) return relative.format(Math.round(seconds / MINUTE), "minute");
    if (past > 0 && past < 12 * HOUR) return relative.format(Math.round(seconds / HOUR), "hour");
    if (past > 0 && past < 6 * DAY) return relative.format(-daysBetween(when, now), "day");
    return dateOf(when, now);
  }

  // How far this machine's clock is behind the server's, by which all times are given.
  let behind = 0;

  const serverNow = () => new Date(Date.now() + behind);

  function compare(then) {
    if (then) behind = then - Date.now();
  }

  // The time in the page is that of its response, which is a little older than now.
  function compareWithPage() {
    const made = document.querySelector(".app[data-now]");
    compare(Number(made?.dataset.now ?? 0));
    made?.removeAttribute("data-now");
  }

  function midnight(when) {
    return new Date(when.getFullYear(), when.getMonth(), when.getDate());
  }

  function daysBetween(when, now) {
    return Math.round((midnight(now) - midnight(when)) / (DAY * 1000));
  }

  function show(time, now) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime())) return;
    const text = time.closest("[data-clock]") ? hourOf(time, when, now) : ago(when, now, time.closest("#list") ? brief : usual);
    if (time.textContent !== text) time.textContent = text;
    if (!time.title) time.title = exact.format(when);
  }

  const dateOf = (when, now) => (when.getFullYear() === now.getFullYear() ? thisYear : otherYear).format(when);
  const hourOf = (time, when, now) => ("dated" in time.dataset ? `${dateOf(when, now)}, ` : "") + clock.format(when);

  function dayName(when, now) {
    const days = daysBetween(when, now);
    return days === 0 ? "Today" : days === 1 ? "Yesterday" : longDay.format(when);
  }

  // The server does not know the reader's zone: it draws date lines by UTC. A thread goes by branches, so that
  // days go back in it: no line is drawn for those, and such a message has the day at its time.
  function drawDays(list, now) {
    const isThread = !list.matches("ol");
    for (const line of list.querySelectorAll(".day")) line.remove();
    let last = null;
    for (const message of list.querySelectorAll(".message")) {
      const time = message.querySelector("time");
      if (!time) continue;
      const when = new Date(time.dateTime);
      const day = midnight(when).getTime();
      const goesBack = isThread && last !== null && day < last;
      time.toggleAttribute("data-dated", goesBack);
      if (day === last || goesBack) continue;
      last = day;
      const line = document.createElement(message.localName === "li" ? "li" : "p");
      line.className = "day";
      line.append(Object.assign(document.createElement("span"), { textContent: dayName(when, now) }));
      const before = message.previousElementSibling;
      (before?.matches(".unread-line") ? before : message).before(line);
    }
  }

  function refresh() {
    compareWithPage();
    const now = serverNow();
    for (const list of document.querySelectorAll("[data-days]")) drawDays(list, now);
    for (const time of document.querySelectorAll("time[datetime]")) show(time, now);
  }

  addEventListener("DOMContentLoaded", refresh);
  addEventListener("htmx:afterSettle", refresh);
  addEventListener("parley:changed", refresh);
  // In print, show exact times: relative ones become wrong.
  addEventListener("beforeprint", () => {
    for (const time of document.querySelectorAll("time[title]")) {
      if (!time.closest("[data-clock]")) time.textContent = time.title;
    }
  });
  addEventListener("afterprint", refresh);
  // Compare again with each response, since this machine's clock may be changed.
  addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => {
    compare(Date.parse(xhr?.getResponseHeader("Date") ?? "") || 0);
  });
  setInterval(refresh, 30_000);
})();
