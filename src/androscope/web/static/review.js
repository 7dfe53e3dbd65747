// Review with the keyboard. Every key is a button of the card in focus; what it asks of the server is
// done one after the other, so that quick fingers never act on what is not shown yet.
"use strict";

(() => {
  const list = document.querySelector(".review");
  const help = document.querySelector("#keys");
  document.querySelector("[data-help]").addEventListener("click", () => help.showModal());
  if (!list) return;
  const blind = list.dataset.blind === "yes";
  const fault = document.querySelector("#review-fault");
  const counter = document.querySelector(".left-over");
  const cards = [...list.children];
  const done = []; // ids of crops acted on, for undo
  let queue = Promise.resolve();
  let held = false;

  let last = cards[0]; // in focus before something else was clicked
  const current = () => document.activeElement.closest(".review > li") || last;

  function focus(card) {
    if (!card) return;
    last = card;
    for (const other of cards) other.tabIndex = other === card ? 0 : -1;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  function say(text) {
    fault.textContent = text;
    fault.hidden = !text;
  }

  function count() {
    const kept = blind ? "kept" : "reviewed";
    const now = cards.filter((card) => card.firstElementChild.dataset[kept] === "yes").length;
    const left = Number(counter.dataset.left) - (now - before);
    counter.textContent = counter.dataset.text.replace("#", Math.max(0, left));
  }
  const before = cards.filter(
    (card) => card.firstElementChild.dataset[blind ? "kept" : "reviewed"] === "yes",
  ).length;

  async function post(card, act, values) {
    const body = new URLSearchParams(values);
    const answer = await fetch(`/crops/${card.dataset.crop}/${act}`, {
      method: "POST",
      body,
      headers: { ...JSON.parse(document.body.getAttribute("hx-headers")), "HX-Request": "true" },
    });
    if (answer.status === 401) location.reload();
    const text = await answer.text();
    if (!answer.ok) {
      const told = new DOMParser().parseFromString(text, "text/html").querySelector("[role=alert]");
      say(told ? told.textContent : `${answer.status}`);
      return false;
    }
    say("");
    const inside = card.contains(document.activeElement);
    card.innerHTML = text;
    if (inside) card.focus({ preventScroll: true });
    count();
    return true;
  }

  // Values are read when their turn comes: from the card as it then is.
  function ask(card, key, shift) {
    queue = queue.then(() => run(card, key, shift)).catch(() => say(list.dataset.failed));
    return queue;
  }

  async function run(card, key, shift) {
    const button = [...card.querySelectorAll("[data-key]")].find((b) => b.dataset.key === key);
    if (!button) return;
    const { act, part, expected, to, is_sperm: sperm } = button.dataset;
    const values = {
      verdict: { part, expected, to: shift ? "undecided" : to },
      sperm: { is_sperm: sperm },
    }[act] || {};
    if ((await post(card, act, values)) && act !== "undo") done.push(card.dataset.crop);
  }

  function keep(card) {
    const values = [];
    for (const button of card.querySelectorAll("[data-said]")) {
      const said = button.dataset.said;
      if (said === "abnormal" || said === "undecided") values.push([said, button.dataset.part]);
    }
    values.push(["is_sperm", card.firstElementChild.dataset.sperm === "no" ? "false" : "true"]);
    queue = queue.then(() => post(card, "observe", values)).catch(() => say(list.dataset.failed));
  }

  function mark(button, shift) {
    const said = button.dataset.said;
    const next = shift ? "undecided" : said === "abnormal" ? "normal" : "abnormal";
    button.dataset.said = next;
    button.classList.remove(said);
    button.classList.add(next);
    button.querySelector(".word").textContent = list.dataset[next];
  }

  function blinded(card, key, shift) {
    if (key === "Enter") keep(card);
    else if (key === "x") {
      const article = card.firstElementChild;
      article.dataset.sperm = article.dataset.sperm === "no" ? "yes" : "no";
      keep(card);
    } else if (key === "u") {
      for (const button of card.querySelectorAll("[data-said]")) mark(button, true);
    } else {
      const button = card.querySelector(`[data-said][data-key="${key}"]`);
      if (button) mark(button, shift);
    }
  }

  function act(card, key, shift) {
    if (blind) blinded(card, key, shift);
    else ask(card, key, shift);
  }

  async function undo() {
    await queue;
    const crop = done.pop();
    const card = crop ? document.querySelector(`#crop-${crop}`) : current();
    focus(card);
    ask(card, "z", false);
  }

  function columns() {
    const top = cards[0].offsetTop;
    const second = cards.findIndex((card) => card.offsetTop !== top);
    return second < 0 ? cards.length : second;
  }

  function heat(card, shown) {
    const image = card.querySelector(".heat");
    if (!image) return;
    if (shown && !image.src) image.src = image.dataset.heat;
    image.hidden = !shown;
  }

  const steps = {
    ArrowLeft: () => -1,
    ArrowRight: () => 1,
    ArrowUp: () => -columns(),
    ArrowDown: () => columns(),
  };

  document.addEventListener("keydown", (event) => {
    if (help.open || event.altKey || event.target.closest("input, select, textarea, a")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const card = current();
    if ((event.ctrlKey || event.metaKey) && key === "z" && !blind) {
      event.preventDefault();
      undo();
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    if (key === "?") {
      help.showModal();
    } else if (steps[key]) {
      focus(cards[cards.indexOf(card) + steps[key]()]);
    } else if (key === "m") {
      if (!held) heat(card, true);
      held = true;
    } else if (key === "Enter") {
      if (event.target.closest("button")) return; // a button in focus is pressed by it
      act(card, key, false);
      const next = cards[cards.indexOf(card) + 1];
      if (next) focus(next);
      else document.querySelector("#next").focus();
    } else if (key !== "z" && card.querySelector(`[data-key="${CSS.escape(key)}"]`)) {
      act(card, key, event.shiftKey);
    } else return;
    event.preventDefault();
  });

  document.addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "m") {
      held = false;
      heat(current(), false);
    }
  });

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-key]");
    const card = event.target.closest(".review > li");
    if (!card) return;
    if (!button) focus(card);
    else if (!("hold" in button.dataset)) act(card, button.dataset.key, event.shiftKey);
  });
  for (const [name, shown] of [["pointerdown", true], ["pointerup", false], ["pointerout", false]]) {
    list.addEventListener(name, (event) => {
      const button = event.target.closest("[data-hold]");
      if (button) heat(button.closest(".review > li"), shown);
    });
  }
  focus(cards[0]);
})();
