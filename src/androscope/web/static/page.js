// What every page needs: that scripts run is told to the style, and htmx's errors are shown.
"use strict";

document.documentElement.classList.add("js");

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401) {
    location.href = "/login?next=" + encodeURIComponent(location.pathname + location.search);
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  // An answer that says what was wrong is shown in place of what was asked for.
  if (event.detail.xhr.getResponseHeader("x-androscope-part") === "fault") {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
