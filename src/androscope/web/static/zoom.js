// A field of view, enlarged and moved: wheel, drag, buttons, and the keys + - 0 and arrows.
"use strict";

(() => {
  const svg = document.querySelector(".viewer .field-svg");
  if (!svg) return;
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  let view = { x: 0, y: 0, width, height };

  function set(next) {
    const w = Math.min(width, Math.max(width / 40, next.width));
    const h = (w / width) * height;
    view = {
      x: Math.min(width - w, Math.max(0, next.x)),
      y: Math.min(height - h, Math.max(0, next.y)),
      width: w,
      height: h,
    };
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  }

  function at(event) {
    const point = new DOMPoint(event.clientX, event.clientY);
    return point.matrixTransform(svg.getScreenCTM().inverse());
  }

  function zoom(factor, centre) {
    const c = centre || { x: view.x + view.width / 2, y: view.y + view.height / 2 };
    set({
      x: c.x - (c.x - view.x) / factor,
      y: c.y - (c.y - view.y) / factor,
      width: view.width / factor,
    });
  }

  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, at(event));
  }, { passive: false });

  let held = null;
  svg.addEventListener("pointerdown", (event) => {
    held = at(event);
    svg.setPointerCapture(event.pointerId);
    svg.classList.add("moving");
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held) return;
    const now = at(event);
    set({ x: view.x + held.x - now.x, y: view.y + held.y - now.y, width: view.width });
  });
  for (const name of ["pointerup", "pointercancel"]) {
    svg.addEventListener(name, () => {
      held = null;
      svg.classList.remove("moving");
    });
  }

  const acts = {
    "+": () => zoom(1.4),
    "=": () => zoom(1.4),
    "-": () => zoom(1 / 1.4),
    "0": () => set({ x: 0, y: 0, width }),
    ArrowLeft: () => set({ ...view, x: view.x - view.width / 8 }),
    ArrowRight: () => set({ ...view, x: view.x + view.width / 8 }),
    ArrowUp: () => set({ ...view, y: view.y - view.height / 8 }),
    ArrowDown: () => set({ ...view, y: view.y + view.height / 8 }),
  };
  svg.addEventListener("keydown", (event) => {
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  const buttons = { in: "+", out: "-", whole: "0" };
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => acts[buttons[button.dataset.zoom]]());
  }
})();
