// Files and whole folders, chosen or dropped; sent in one request with its progress shown.
"use strict";

(() => {
  const form = document.querySelector("form.upload");
  if (!form) return;
  const drop = form.querySelector(".drop");
  const chosen = form.querySelector(".chosen");
  const fault = form.querySelector(".fault");
  const bar = form.querySelector("progress.sent");
  const button = form.querySelector("button:not([type])");
  const words = drop.dataset;
  const files = new Map();

  const size = (bytes) =>
    bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

  function say(text) {
    fault.textContent = text;
    fault.hidden = !text;
  }

  function show() {
    let bytes = 0;
    for (const file of files.values()) bytes += file.size;
    chosen.textContent = files.size
      ? (files.size === 1 ? words.chosenOne : words.chosen).replace("#", files.size).replace("@", size(bytes))
      : "";
    const large = [...files.entries()].find(([, file]) => file.size > Number(words.maxBytes));
    if (files.size > Number(words.maxFiles)) say(words.tooMany);
    else if (large) say(`${large[0]}: ${words.tooLarge}`);
    else say("");
  }

  function add(file, path) {
    files.set(path || file.webkitRelativePath || file.name, file);
  }

  function entries(reader) {
    return new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
  }

  async function walk(entry) {
    if (entry.isFile) {
      const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
      if (file && !file.name.startsWith(".")) add(file, entry.fullPath.replace(/^\//, ""));
      return;
    }
    const reader = entry.createReader();
    for (let some = await entries(reader); some.length; some = await entries(reader)) {
      for (const inside of some) await walk(inside);
    }
  }

  for (const input of form.querySelectorAll('input[type="file"]')) {
    // Files may have been chosen before this script ran, and a folder may be announced before it
    // is listed: an empty list is left alone, or the files that come after would be lost.
    const take = () => {
      if (!input.files.length) return;
      for (const file of input.files) if (!file.name.startsWith(".")) add(file);
      input.value = "";
      show();
    };
    input.addEventListener("change", take);
    take();
  }

  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    // The list is emptied as soon as this handler first waits.
    const dropped = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry());
    for (const entry of dropped) if (entry) await walk(entry);
    show();
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!files.size) {
      say(words.nothing);
      return;
    }
    const data = new FormData();
    for (const field of new FormData(form)) {
      if (typeof field[1] === "string") data.append(field[0], field[1]);
    }
    for (const [name, file] of files) data.append("files", file, name);
    send(data);
  });

  function send(data) {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", data.get("csrf"));
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.lengthComputable ? event.loaded / event.total : 0;
    });
    request.addEventListener("load", () => {
      if (request.status === 201) location.href = JSON.parse(request.responseText).url;
      else ended(reason(request));
    });
    request.addEventListener("error", () => ended(words.failed));
    bar.hidden = false;
    button.disabled = true;
    say("");
    chosen.textContent = words.sending;
    request.send(data);
  }

  function reason(request) {
    try {
      const problem = JSON.parse(request.responseText);
      return [problem.detail || problem.title, problem.advice].filter(Boolean).join(". ");
    } catch {
      return words.failed;
    }
  }

  function ended(text) {
    bar.hidden = true;
    button.disabled = false;
    show();
    say(text);
  }
})();
