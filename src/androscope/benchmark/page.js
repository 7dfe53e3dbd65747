
"use strict";
// Columns can be sorted; without this script the tables stand ranked by accuracy.
for (const table of document.querySelectorAll("table.board")) {
  const body = table.tBodies[0];
  const by = table.caption.querySelector(".by");
  const heads = Array.from(table.tHead.rows[0].cells);
  const sort = (head) => {
    const number = head.dataset.kind === "number";
    const first = number ? "descending" : "ascending";
    const other = number ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    const sign = order === "ascending" ? 1 : -1;
    const at = head.cellIndex;
    const key = (row) => row.cells[at].dataset.sort || "";
    const rows = Array.from(body.rows);
    rows.sort((one, two) => {
      const a = key(one), b = key(two);
      // What is not published is last, whichever way.
      if (a === "" || b === "") return (a === "") - (b === "");
      return sign * (number ? Number(a) - Number(b) : a.localeCompare(b));
    });
    for (const row of rows) {
      body.append(row);
      if (number) row.cells[0].textContent = row.cells[at].dataset.rank || "-";
    }
    for (const cell of heads) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    if (number) by.textContent = head.textContent;
  };
  for (const head of heads) {
    if (!head.dataset.kind) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head));
    head.append(button);
  }
}
