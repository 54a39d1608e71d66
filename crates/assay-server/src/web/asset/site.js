// Makes pages quicker to use; everything works without it. No dependency, no inline code.
"use strict";
(() => {
  const find = document.querySelector("header.top .find input");
  document.addEventListener("keydown", (event) => {
    const typing = /^(input|textarea|select)$/i.test(document.activeElement?.tagName ?? "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && find && find.offsetParent) {
      event.preventDefault();
      find.focus();
    }
    if (event.key === "Escape" && typing) document.activeElement.blur();
  });

  // "/" pages that say so are read again, at most once a second, when something happened.
  const live = document.querySelector("main[data-live]");
  if (!live || !window.EventSource) return;
  const stream = new EventSource("/v1/stream?topics=" + encodeURIComponent(live.dataset.live));
  let due = 0;
  let busy = false;
  const parser = new DOMParser();
  const policy = window.trustedTypes?.createPolicy("assay", { createHTML: (text) => text });
  const html = (text) => (policy ? policy.createHTML(text) : text);
  const refresh = async () => {
    due = 0;
    if (document.hidden) return;
    if (busy) return soon();
    busy = true;
    try {
      const answer = await fetch(location.href, { cache: "no-cache", headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = parser.parseFromString(html(await answer.text()), "text/html");
      for (const part of document.querySelectorAll("[data-part]")) {
        const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
        if (!next || part.contains(document.activeElement) || part.isEqualNode(next)) continue;
        part.replaceWith(document.adoptNode(next));
      }
    } catch {
      // The next event tries again.
    } finally {
      busy = false;
    }
  };
  const soon = () => {
    due ||= setTimeout(refresh, 300 + Math.random() * 500);
  };
  for (const kind of ["block", "round", "submission", "report", "proof", "duel", "weights", "release", "health", "reset"]) {
    stream.addEventListener(kind, soon);
  }
  addEventListener("pagehide", () => stream.close());
})();
