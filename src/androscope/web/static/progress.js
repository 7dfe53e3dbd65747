// Shows a sample's progress as the server sends it, and the whole page anew when it is over.
"use strict";

(() => {
  const panel = document.querySelector("[data-watch]");
  if (!panel) return;
  const news = panel.querySelector(".news");
  const source = new EventSource(panel.dataset.watch);
  source.addEventListener("progress", (event) => {
    news.innerHTML = event.data;
  });
  source.addEventListener("over", () => {
    source.close();
    // Not under the hands of one who is choosing more images.
    const chosen = document.querySelector(".chosen");
    if (!chosen || !chosen.textContent) location.reload();
  });
  window.addEventListener("pagehide", () => source.close());
})();
