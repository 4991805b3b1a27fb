// Small comforts; every page works without them.
"use strict";
(() => {
  // What is wrong comes first, also for those who listen.
  const summary = document.querySelector(".error-summary");
  if (summary && !document.querySelector("[autofocus]")) summary.focus();
  // Printing needs a script, so its button appears only with one.
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  // One press is enough: sealing and checking take a moment.
  for (const form of document.forms) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent === "yes") event.preventDefault();
      else if (!form.hasAttribute("data-download")) form.dataset.sent = "yes";
      if (form.dataset.busy && !form.querySelector("[data-waiting]")) {
        const waiting = document.createElement("p");
        waiting.setAttribute("role", "status");
        waiting.setAttribute("data-waiting", "");
        waiting.textContent = form.dataset.busy;
        form.append(waiting);
      }
    });
  }
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
    for (const waiting of document.querySelectorAll("[data-waiting]")) waiting.remove();
  });
})();
