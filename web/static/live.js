// What a page does beyond plain HTML: focus on what is wrong, and updates that come by themselves.
"use strict";

document.querySelector("[data-focus]")?.focus();

// An element with data-live="/address" is told of changes by server-sent events, and asks every 30 s where they do not come.
for (const part of document.querySelectorAll("[data-live]")) {
  const changed = () => htmx.trigger(part, "changed");
  let asking = null;
  let events = null;
  let over = false;
  const ask = () => { asking ??= setInterval(changed, 30000); };
  const rest = () => { clearInterval(asking); asking = null; };
  const watch = () => {
    if (!("EventSource" in window)) {
      ask();
      return;
    }
    events = new EventSource(part.dataset.live);
    events.addEventListener("open", rest);
    events.addEventListener("changed", changed);
    events.addEventListener("error", () => {
      ask();
      if (events.readyState === EventSource.CLOSED) changed();  // refused: asking says why
    });
  };
  part.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 401) return;
    over = true;
    events?.close();
    rest();
    document.querySelector("[data-signed-out]")?.removeAttribute("hidden");
  });
  // What nobody sees asks for nothing: a browser has six connections for all pages of a site, and a page that is left
  // open would keep somebody signed in who has gone.
  document.addEventListener("visibilitychange", () => {
    events?.close();
    rest();
    if (!document.hidden && !over) watch();
  });
  if (!document.hidden) watch();
}
