"use strict";
// Sorts the table by the heading that is clicked, and leaves the videos whose names hold what is typed.
const table = document.querySelector("table");
const body = table.tBodies[0];
const headings = [...table.tHead.rows[0].cells];
const tools = document.querySelector(".tools");
const field = tools.querySelector("input");
const status = tools.querySelector("[role=status]");
const lines = [...body.rows].map((row, order) => ({
  row,
  order,
  name: row.cells[0].textContent.toLowerCase(),
  values: [...row.cells].map((cell) => ("value" in cell.dataset ? Number(cell.dataset.value) : null)),
}));

function sort(column) {
  const heading = headings[column];
  const before = heading.getAttribute("aria-sort");
  // names begin with the first, numbers with the largest
  const ascending = before ? before === "descending" : !column;
  const sign = ascending ? 1 : -1;
  lines.sort((a, b) => {
    const [left, right] = column ? [a.values[column], b.values[column]] : [a.order, b.order];
    if (left === null || right === null) return (left === null) - (right === null) || a.order - b.order;
    return sign * (left - right) || a.order - b.order;
  });
  for (const other of headings) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  body.append(...lines.map(({ row }) => row));
  const order = column ? (ascending ? "smallest first" : "largest first") : ascending ? "from A to Z" : "from Z to A";
  status.textContent = `Sorted by ${heading.textContent.toLowerCase()}, ${order}`;
}

function find() {
  const typed = field.value.trim().toLowerCase();
  let count = 0;
  for (const { row, name } of lines) {
    row.hidden = !name.includes(typed);
    count += !row.hidden;
  }
  status.textContent = typed ? `${count} of ${lines.length}` : "";
}

headings.forEach((heading, column) => {
  if (heading.classList.contains("still")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => sort(column));
});
field.addEventListener("input", find);
tools.hidden = false;
