// Single keys for those who decide many cases. All of it can be done without: by links, buttons and the Tab key.
"use strict";
const OFF = "nightjar-keys-off";
const isOn = () => localStorage.getItem(OFF) === null;
const isWriting = (element) => element.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");

function step(by) {
  const links = [...document.querySelectorAll("a.case")];
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(at < 0 ? 0 : at + by, 0), links.length - 1)].focus();
}

function press(key) {
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1) ?? true;
  if (key === "?") {
    const keys = document.getElementById("keys");
    keys.open = !keys.open;
    keys.scrollIntoView({block: "nearest"});
    return true;
  }
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return false;
  if (target.matches("textarea, input[type=search]")) target.focus();
  else if (target.matches("input[type=radio]")) { target.focus(); target.checked = true; }
  else target.click();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isWriting(event.target)) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target) || !isOn()) return;
  if (press(event.key)) event.preventDefault();
});

document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("keys-on");
  if (!box) return;
  box.checked = isOn();
  box.addEventListener("change", () => box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"));
});
